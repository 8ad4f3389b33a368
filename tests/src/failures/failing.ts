/** For specs of failures: the small world, played up to the moment at which something is to fail, and on. */
import type { Cycle, Version } from '@driftloop/contracts';
import { openPlayed, type Played } from '../walk/played.js';
import { HOUR, type ParcelsOptions, parcelsWorld, START } from '../worlds/parcels.js';

/** Few labels and little growth suffice, so that a second cycle opens days after the first. */
export const eager: NonNullable<ParcelsOptions['spec']> = [
  ['minFreshLabels: 700', 'minFreshLabels: 300'],
  [
    'any: [{ growth: { atLeast: 1 } }, { calibrationGap: { atLeast: 0.08, z: 2.5 } }]',
    'any: [{ growth: { atLeast: 0.4 } }]',
  ],
];

/** What is trained goes on trial, and soon through it, however good it is. */
export const lenient: NonNullable<ParcelsOptions['spec']> = [
  ...eager,
  ['gate: { enabled: true', 'gate: { enabled: false'],
  ['margin: 0.02, clip: 0.1, promoteAt: 10', 'margin: 0.09, clip: 0.1, promoteAt: 3'],
];

export interface Failing extends Played {
  world: ReturnType<typeof parcelsWorld>;
  /** Where the world has been played to, epoch ms. */
  now(): number;
  /** Plays on to an instant. */
  to(until: number): Promise<void>;
  /** Plays on, tick by tick, until something holds. Throws after so many days. */
  until(holds: (state: State) => boolean, days?: number): Promise<State>;
}

export interface State {
  cycles: Cycle[];
  last: Cycle;
  versions: Version[];
}

/** Opens a house, and a world that it has not been told of yet. */
export async function openFailing(world = parcelsWorld({ days: 32, spec: eager }), from = START): Promise<Failing> {
  const played = await openPlayed();
  let now = from;
  const to = async (until: number) => {
    await played.play(world, until);
    now = until;
  };
  const state = async (): Promise<State> => {
    const cycles = await played.control.cycles(world.model);
    return { cycles, last: cycles[cycles.length - 1], versions: await played.control.versions(world.model) };
  };
  const until = async (holds: (state: State) => boolean, days = 20) => {
    let found: State | undefined;
    await played.play(world, now + days * 24 * HOUR, async (at) => {
      now = at;
      const here = await state();
      if (here.last && holds(here)) found = here;
      return found !== undefined;
    });
    if (found) return found;
    const told = (await state()).cycles.map(({ opened, stage, outcome, reasons }) => [opened, stage, outcome, reasons]);
    throw new Error(`not in ${days} days: ${holds}; ${JSON.stringify(told)}`);
  };
  return { ...played, world, now: () => now, to, until };
}
