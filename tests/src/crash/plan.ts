/** Which deaths are tried: drawn by a seed from what a quiet run passed, so that every channel has its turn. Pure. */
import { Random } from '@driftloop/algorithms';
import type { Death } from './runs.js';

/**
 * So many passages: a point of each channel, then another of each that has more, in shuffled orders, until every point of
 * the house has had its turn; each at a passage drawn evenly. A point passed once a run has its turn as one passed a
 * thousand times has.
 */
export function pointDeaths(counts: ReadonlyMap<string, number>, count: number, seed: number): Death[] {
  const random = new Random(`crash/points/${seed}`);
  const byChannel = Map.groupBy([...counts.keys()].sort(), (point) => point.split(' ')[0]);
  const channels = shuffled([...byChannel.keys()].sort(), random).map((name) => shuffled(byChannel.get(name)!, random));
  const order = inTurn(channels);
  return Array.from({ length: order.length ? count : 0 }, (_, i) => {
    const point = order[i % order.length];
    return { at: { point, nth: 1 + random.integer(counts.get(point)!) } };
  });
}

/** Deaths of one run, one after the other: at points that every life passes, early, since each life is a short one. */
export function deathsInTurn(counts: ReadonlyMap<string, number>, count: number, seed: number): Death[] {
  const often = [...counts].filter(([, passages]) => passages >= count);
  const early = often.map(([point, passages]): [string, number] => [point, Math.ceil(passages / (2 * count))]);
  return pointDeaths(new Map(early), count, seed);
}

/** The first of each list, then the second of each, to the end of the longest. */
function inTurn(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat();
}

/** So many wall times within a run of this length, ms. */
export function timeDeaths(ms: number, count: number, seed: number): Death[] {
  const random = new Random(`crash/times/${seed}`);
  return Array.from({ length: count }, () => ({ afterMs: Math.round(random.uniform() * ms) }));
}

/** In words. */
export const deathName = (death: Death): string =>
  'at' in death ? `${death.at.point.replace(/^driftloop:/, '')} #${death.at.nth}` : `after ${death.afterMs} ms`;

function shuffled<T>(all: readonly T[], random: Random): T[] {
  const left = [...all];
  return Array.from(all, () => left.splice(random.integer(left.length), 1)[0]);
}
