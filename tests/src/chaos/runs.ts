/**
 * Two runs of one world: a quiet one in one process, and one in processes on real servers that somebody may disturb.
 *
 * I1  Both are told to the end: the disturbed one waits for what comes back, and nothing is repeated by hand.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Control } from '@driftloop/client';
import { openEmbedded, openMongod } from '@driftloop/documents';
import type { Doors, ProcessHouse } from '@driftloop/embedded';
import { openHouse } from '@driftloop/embedded';
import { Diary, importWorld, type Progress, type ReplayOptions, replay } from '@driftloop/flights';
import { MinioObjects } from '@driftloop/objects/minio';
import { databaseOf, objectsOf, readSettings } from '@driftloop/service';
import type { Connection } from 'mongoose';
import { type Kept, type Outcome, outcomeOf } from '../crash/outcome.js';
import { shuffledArrival } from '../disturbances/arrival.js';
import type { Disturber } from './disturber.js';

/** A process that comes back, or a server, is waited for so long, ms. */
const patienceMs = 600_000;
/** Rows told at once in the disturbed run, and the share of them that is told twice, all in another order. */
const batchSize = 97;
const toldTwice = 0.1;

/** Plays a world in one process, undisturbed, on a home that goes with it. */
export async function playQuietly(world: string): Promise<Outcome> {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-quiet-'));
  // Steps of a cycle name the replicas that took part.
  const environment = { DRIFTLOOP_LOG_LEVEL: 'warn', DRIFTLOOP_REPLICA: 'serving-0' };
  const house = await openHouse(home, { anyPorts: true, environment });
  try {
    const connection = await openEmbedded(house.store.db, 'monitoring');
    const kept = { object: (key: string) => house.store.objects.get(key), days: () => daysIn(connection) };
    return await playOn(house, world, kept);
  } finally {
    await house.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/**
 * Plays a world on a house of processes, on the servers of its environment. Where somebody disturbs it, what becomes known in
 * a step is told in another order, in other batches, and some of it twice; the disturber ends before the outcome is looked at.
 */
export async function playInProcesses(
  house: ProcessHouse,
  world: string,
  environment: Readonly<Record<string, string | undefined>>,
  disturbed?: { readonly seed: number; readonly by: Disturber },
): Promise<Outcome> {
  const cluster = readSettings({ ...environment, DRIFTLOOP_MODE: 'cluster' }).cluster!;
  const open = () => MinioObjects.open(objectsOf(cluster, join(house.home, 'looked-at')));
  const object = async (key: string) => (await open()).get(key);
  const days = async () => {
    const connection = await openMongod(cluster.mongodb.reveal(), databaseOf(cluster, 'monitoring'));
    return daysIn(connection).finally(() => connection.close());
  };
  if (!disturbed) return playOn(house, world, { object, days });
  const { seed, by } = disturbed;
  const onProgress = ({ asked, questions }: Progress) => by.reached(asked / questions);
  const pace = { arrival: shuffledArrival(seed, toldTwice), batchSize, onProgress };
  return playOn(house, world, { object, days }, pace, () => by.calm());
}

async function playOn(
  house: Doors,
  worldUrl: string,
  kept: Kept,
  pace: Partial<ReplayOptions> = {},
  played: () => Promise<void> = async () => undefined,
): Promise<Outcome> {
  const { model, openWorld, truth } = await importWorld(worldUrl);
  const doors = {
    gateway: house.url,
    serving: house.address('serving'),
    featureStore: house.address('feature-store'),
    labeling: house.address('labeling'),
  };
  const diary = join(house.home, 'replay');
  const options = { doors, token: house.replayToken, diary, patienceMs, ...pace };
  const { frozenVersion } = await replay(openWorld(), options);
  await played();
  const control = new Control(house.url, house.replayToken);
  await control.settled();
  return outcomeOf(kept, control, { model, truth: truth(), frozenVersion, diary: new Diary(diary) });
}

/** An outcome without what each replica of serving says of itself in a cycle: there are more of them in some runs. */
export function whoeverServed(outcome: Outcome): Outcome {
  const others = ({ service }: { service?: string }) => service !== 'serving';
  const cycles = outcome.cycles.map((cycle) => {
    const { steps = [], spans = [], ...rest } = cycle as { steps?: object[]; spans?: object[] };
    return { ...rest, steps: steps.filter(others), spans: spans.filter(others) };
  });
  return { ...outcome, cycles };
}

/** What a log's offsets, the outbox and the lead have to do with a document is another matter on another bus. */
const ofTheLog = new Set(['applied', 'pending', 'outboxLease', '__v', 'fence']);

async function daysIn(connection: Connection): Promise<Record<string, object>> {
  const documents = await connection.collection('days').find({}).toArray();
  const days = documents.map((document) => {
    const entries = Object.entries(document).filter(([name]) => !ofTheLog.has(name));
    return [String(document._id), JSON.parse(JSON.stringify(Object.fromEntries(entries)))] as const;
  });
  return Object.fromEntries(days.sort(([a], [b]) => (a < b ? -1 : 1)));
}
