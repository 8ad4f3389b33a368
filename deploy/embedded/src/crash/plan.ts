/** Which deaths are tried: drawn by a seed from what a quiet run passed, so that every channel has its turn. Pure. */
import { Random } from '@driftloop/algorithms';
import type { Death } from './runs.js';

/** So many passages, channel by channel in a shuffled order, each at a point and a passage of it drawn evenly. */
export function pointDeaths(counts: ReadonlyMap<string, number>, count: number, seed: number): Death[] {
  const random = new Random(`crash/points/${seed}`);
  const byChannel = Map.groupBy([...counts.keys()].sort(), (point) => point.split(' ')[0]);
  const channels = shuffled([...byChannel.keys()].sort(), random);
  return Array.from({ length: channels.length ? count : 0 }, (_, i) => {
    const points = byChannel.get(channels[i % channels.length])!;
    const point = points[random.integer(points.length)];
    return { at: { point, nth: 1 + random.integer(counts.get(point)!) } };
  });
}

/** Deaths of one run, one after the other: early passages, since each life is a short one. */
export function deathsInTurn(counts: ReadonlyMap<string, number>, count: number, seed: number): Death[] {
  const early = [...counts].map(([point, passages]): [string, number] => [point, Math.ceil(passages / (2 * count))]);
  return pointDeaths(new Map(early), count, seed);
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
