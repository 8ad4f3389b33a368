/**
 * Plays a world to its end on a home of its own, in this process, with or without disturbances, and says what it came to.
 * The outcome must not depend on the disturbances: `differenceOf` (crash/difference.ts) compares two.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Control } from '@driftloop/client';
import { openHouse } from '@driftloop/embedded';
import { Diary, replay, type World } from '@driftloop/flights';
import { differenceOf } from '../crash/difference.js';
import { keptIn, type Outcome, outcomeOf } from '../crash/outcome.js';
import { type Arrival, shuffledArrival } from './arrival.js';
import { type BusDisturbance, DisturbedBus } from './disturbed-bus.js';

export interface Disturbance {
  /** How badly the services hear. */
  readonly bus?: BusDisturbance;
  /** In which order a step arrives. */
  readonly arrival?: Arrival;
  /** How fast: questions asked at once, rows told at once. */
  readonly inFlight?: number;
  readonly batchSize?: number;
}

/** A world that can be played: what `openWorld()` of a world's module gives, and its truth. */
export type PlayableWorld = World & { readonly truth: ReadonlyMap<string, number> };

/** Plays a world out. Takes seconds for a small one. */
export async function playOut(world: PlayableWorld, disturbance: Disturbance = {}, until?: number): Promise<Outcome> {
  const home = mkdtempSync(join(tmpdir(), 'driftloop-disturbed-'));
  const { bus, arrival, inFlight, batchSize } = disturbance;
  const environment = { DRIFTLOOP_LOG_LEVEL: 'fatal' };
  const house = await openHouse(home, {
    anyPorts: true,
    environment,
    ...(bus && { hear: (inner) => new DisturbedBus(inner, bus) }),
  });
  try {
    const doors = {
      gateway: house.url,
      serving: house.address('serving'),
      featureStore: house.address('feature-store'),
      labeling: house.address('labeling'),
    };
    const diary = join(home, 'replay');
    const pace = { arrival, inFlight, batchSize };
    const { frozenVersion } = await replay(world, { doors, token: house.replayToken, diary, until, ...pace });
    const control = new Control(house.url, house.replayToken);
    await control.settled();
    const { model, truth } = world;
    return await outcomeOf(keptIn(house), control, { model, truth, frozenVersion, diary: new Diary(diary) });
  } finally {
    await house.close();
    rmSync(home, { recursive: true, force: true });
  }
}

export interface ShuffledArrival {
  /** Ledger of the world as it is, and of each shuffle of it. */
  readonly expected: string;
  readonly found: readonly string[];
  /** The first difference of anything that the runs came to; undefined where all are identical. */
  readonly difference: string | undefined;
}

/** The control "same stream, shuffled arrival within the watermark": must show identical ledgers. */
export async function shuffledArrivalControl(world: PlayableWorld, seeds: readonly number[]): Promise<ShuffledArrival> {
  const quiet = await playOut(world);
  const found: string[] = [];
  let difference: string | undefined;
  for (const seed of seeds) {
    const shuffled = await playOut(world, { arrival: shuffledArrival(seed, 0.1) });
    found.push(shuffled.ledgerSha256);
    difference ??= differenceOf(quiet, shuffled);
  }
  return { expected: quiet.ledgerSha256, found, difference };
}
