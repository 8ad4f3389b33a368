/**
 * Wasserstein-1 distance: how far the mass of one distribution must be moved, on average, to become the other: W = ∫ |F(x) − G(x)| dx. (Vallender, Theory
 * of Probability and its Applications 1974, for the form on the line.) A shift of every value by c is a distance of |c|, which PSI and KS cannot tell.
 *
 * On samples it is exact. On histograms every bin stands for one point: the middle of its edges; an open bin, at an end, as far beyond its edge as its
 * neighbour's middle is before it. There it is told in units of the reference's spread (its standard deviation on those points), so that features compare.
 * Missing values take no part: PSI and the distance of Kolmogorov and Smirnov see them.
 *
 * @example
 * wasserstein([1, 2, 3], [2, 3, 4]);                              // 1
 * wassersteinBinned(reference, countInto(reference, thisWeek));   // .31 spreads
 */
import { demand } from '../bad-input.js';
import { sortedValues } from './kolmogorov-smirnov.js';
import { type BinCounts, binsOf, type NumericReference, type NumericValue } from './psi.js';

/** The distance of two samples, in their own unit; 0 when either is empty. */
export function wasserstein(a: Iterable<NumericValue>, b: Iterable<NumericValue>): number {
  const [x, y] = [sortedValues(a), sortedValues(b)];
  if (x.length === 0 || y.length === 0) return 0;
  let [i, j, distance] = [0, 0, 0];
  let at = Math.min(x[0], y[0]);
  while (i < x.length || j < y.length) {
    while (i < x.length && x[i] <= at) i++;
    while (j < y.length && y[j] <= at) j++;
    const next = Math.min(x[i] ?? Number.POSITIVE_INFINITY, y[j] ?? Number.POSITIVE_INFINITY);
    if (next === Number.POSITIVE_INFINITY) break;
    distance += Math.abs(i / x.length - j / y.length) * (next - at);
    at = next;
  }
  return distance;
}

/** The distance of counts from the reference that they were counted into, in spreads of the reference; 0 without rows or without spread. */
export function wassersteinBinned(reference: NumericReference, now: BinCounts): number {
  const bins = binsOf(reference);
  demand(
    now.counts.length === bins,
    'wassersteinBinned',
    () => `${now.counts.length} bins against ${bins}`,
    'count into the same reference',
  );
  const points = binPoints(reference);
  const { n, spread } = binnedMoments(reference, reference);
  const { n: m } = binnedMoments(reference, now);
  if (n === 0 || m === 0 || spread === 0) return 0;
  let [F, G, distance] = [0, 0, 0];
  for (let k = 0; k + 1 < points.length; k++) {
    F += reference.counts[k] / n;
    G += now.counts[k] / m;
    distance += Math.abs(F - G) * (points[k + 1] - points[k]);
  }
  return distance / spread;
}

/** Number, mean and standard deviation of the values that are there, each bin standing for its point; zeros without any. */
export function binnedMoments(
  reference: NumericReference,
  { counts }: BinCounts,
): { n: number; mean: number; spread: number } {
  const points = binPoints(reference);
  const n = points.reduce((s, _, k) => s + counts[k], 0);
  if (n === 0) return { n: 0, mean: 0, spread: 0 };
  const mean = points.reduce((s, x, k) => s + x * (counts[k] / n), 0);
  const variance = points.reduce((s, x, k) => s + (x - mean) ** 2 * (counts[k] / n), 0);
  return { n, mean, spread: Math.sqrt(variance) };
}

/** The point that each value bin stands for. */
export function binPoints({ edges }: NumericReference): number[] {
  if (edges.length === 0) return [0];
  if (edges.length === 1) return [edges[0] - 0.5, edges[0] + 0.5];
  const last = edges.length - 1;
  const inner = edges.slice(1).map((edge, k) => edges[k] + (edge - edges[k]) / 2);
  return [edges[0] - (edges[1] - edges[0]) / 2, ...inner, edges[last] + (edges[last] - edges[last - 1]) / 2];
}
