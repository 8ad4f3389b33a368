/** Every point of the house that a run can be killed at, by the name of its channel without the house's prefix. */
import type { Channel } from 'node:diagnostics_channel';
import { busPoints } from '@driftloop/bus';
import { documentsPoints, outboxPoints } from '@driftloop/documents';
import { replayPoints } from '@driftloop/flights';
import { objectsPoints } from '@driftloop/objects';
import { servicePoints } from '@driftloop/service';
import { servingPoints } from '@driftloop/serving';
import { trainingPoints } from '@driftloop/training';

const rooms: Record<string, Channel>[] = [
  busPoints,
  documentsPoints,
  outboxPoints,
  objectsPoints,
  servicePoints,
  trainingPoints,
  servingPoints,
  replayPoints,
];

/** The names of the channels. */
export const pointNames: string[] = rooms.flatMap((points) => Object.values(points).map(({ name }) => String(name)));
