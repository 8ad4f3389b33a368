/**
 * Shuffled arrival: what is told between two promises of a source may come in any order, in other batches and twice. The
 * same world is played in order and shuffled, each in a house of its own: the ledgers must be the same, entry by entry, and
 * so must every version's bytes.
 */
import { Random } from '@driftloop/algorithms';
import type { Happening, World } from '@driftloop/flights';
import { parcelsWorld } from '../parcels.fixture.js';
import { openPlayed } from '../played.fixture.js';
import type { Control } from './control.js';

const minute = 60_000;
const hour = 60 * minute;
/** One row in so many is told twice. */
const repeated = 20;

export const shuffledArrival: Control = {
  name: 'shuffled arrival within the watermark',
  mustShow: 'identical ledger',
  async run({ seed, tell }) {
    const world = parcelsWorld({ driftAt: 12 });
    tell('shuffled arrival: in order');
    const inOrder = await outcomeOf(world);
    const seeds = [seed, seed + 1];
    const same: boolean[] = [];
    for (const one of seeds) {
      tell(`shuffled arrival: shuffled with seed ${one}`);
      same.push((await outcomeOf(shuffledWithinSteps(world, one))).text === inOrder.text);
    }
    const equal = same.filter(Boolean).length;
    const showed = `${equal} of ${seeds.length}; ${inOrder.entries} entries, ledger ${inOrder.ledger.slice(0, 12)}`;
    const promoted = inOrder.promoted;
    return [
      { what: 'identical ledgers and versions', figure: equal, showed, atLeast: seeds.length },
      { what: 'promotions in them', figure: promoted, showed: String(promoted), atLeast: 1 },
    ];
  },
};

/** A world in which every step's happenings come in another order, some of them twice. */
export function shuffledWithinSteps(world: World, seed: number): World {
  const { happenings, step = hour } = world;
  const random = new Random(`${seed}/arrival`);
  const first = happenings.find(({ kind }) => kind === 'question')!.at;
  // The replay's own steps: the history at once, an hour in small steps, then step by step.
  const start = Math.floor(first / hour) * hour - hour;
  const stepOf = (at: number): number => {
    if (at <= start) return 0;
    if (at <= start + hour) return Math.ceil((at - start) / (10 * minute));
    return 6 + Math.ceil((at - start - hour) / step);
  };
  const steps = Map.groupBy(happenings, ({ at }) => stepOf(at));
  const shuffled = [...steps].flatMap(([, happened]) => {
    const again = happened.filter(({ kind }) => kind !== 'question' && random.integer(repeated) === 0);
    return random.shuffle<Happening[]>([...happened, ...again]);
  });
  return { ...world, happenings: shuffled };
}

/** Everything that a played world came to. */
export async function outcomeOf(world: World) {
  const played = await openPlayed();
  try {
    await played.play(world);
    const ledger = await played.control.ledger(world.model);
    const versions = await played.control.versions(world.model);
    const text = JSON.stringify([ledger.entries, versions.map(({ version, released }) => [version, released?.sha256])]);
    const promoted = (await played.control.cycles(world.model)).filter(({ outcome }) => outcome === 'promoted').length;
    return { text, ledger: ledger.sha256, entries: ledger.entries.length, promoted };
  } finally {
    await played.close();
  }
}
