/**
 * Kolmogorov–Smirnov: the largest distance between two distribution functions, D = sup |F(x) − G(x)|, and how likely chance alone gives one as large.
 * (Kolmogorov 1933; Smirnov, Annals of Mathematical Statistics 1948; the exact two-sample law by lattice paths: Hodges, Arkiv för Matematik 1958;
 * the finite-sample correction of the limit: Stephens, JRSS B 1970.)
 *
 * Two samples: the exact law for small ones, the limit for others. Against a histogram: D over its edges, which is at most the true one, so that its p is
 * conservative. Both p take rows for independent; where rows of a day depend on each other they are far too small: see `sharesMoved` in day-blocks.ts.
 *
 * NaN, null and undefined are missing and take no part in samples; in a histogram they are the last bin and count as beyond every edge.
 *
 * @example
 * ksTwoSample([.1, .4, .7], [.3, .6, .9, 1.2]);         // { distance: .5, p: .77, method: 'exact', … }
 * ksBinned(reference, countInto(reference, thisWeek));  // { distance: .08, p: .002, … }
 */
import { demand } from '../bad-input.js';
import { type BinCounts, binsOf, type NumericReference, type NumericValue } from './psi.js';

export interface KolmogorovSmirnov {
  /** D, in [0, 1]; 0 when either side is empty. */
  readonly distance: number;
  /** P(D at least as large) where nothing moved, rows being independent; 1 when either side is empty. */
  readonly p: number;
  readonly method: 'exact' | 'asymptotic';
  readonly n: number;
  readonly m: number;
}

/** Above so many lattice points the limit is as good, and cheaper. */
const exactUpTo = 1_000_000;

/** Distance and p-value of two samples. @param options.method default: exact up to n·m = 10⁶. */
export function ksTwoSample(
  a: Iterable<NumericValue>,
  b: Iterable<NumericValue>,
  options: { method?: 'exact' | 'asymptotic' } = {},
): KolmogorovSmirnov {
  const [x, y] = [sortedValues(a), sortedValues(b)];
  const [n, m] = [x.length, y.length];
  const method = options.method ?? (n * m <= exactUpTo ? 'exact' : 'asymptotic');
  if (n === 0 || m === 0) return { distance: 0, p: 1, method, n, m };
  const distance = largestGap(x, y);
  const p = method === 'exact' ? exactTail(distance, n, m) : asymptoticTail(distance, n, m);
  return { distance, p, method, n, m };
}

/** Distance and asymptotic p-value of counts against the reference that they were counted into. @throws BadInput when the layouts differ. */
export function ksBinned(reference: NumericReference, now: BinCounts): KolmogorovSmirnov {
  const bins = binsOf(reference);
  demand(
    now.counts.length === bins,
    'ksBinned',
    () => `${now.counts.length} bins against ${bins}`,
    'count into the same reference',
  );
  const total = (counts: readonly number[]): number => counts.reduce((s, c) => s + c, 0);
  const [n, m] = [total(reference.counts), total(now.counts)];
  if (n === 0 || m === 0) return { distance: 0, p: 1, method: 'asymptotic', n, m };
  let [F, G, distance] = [0, 0, 0];
  for (let k = 0; k < bins - 1; k++) {
    F += reference.counts[k];
    G += now.counts[k];
    distance = Math.max(distance, Math.abs(F / n - G / m));
  }
  return { distance, p: asymptoticTail(distance, n, m), method: 'asymptotic', n, m };
}

/** P(K > x) of Kolmogorov's limit: 2 Σ (−1)^{k−1} e^{−2k²x²}, or its theta transform where that converges faster. */
export function kolmogorovTail(x: number): number {
  demand(!Number.isNaN(x), 'kolmogorovTail', () => 'x is NaN', 'pass a number');
  if (x <= 0) return 1;
  let sum = 0;
  if (x < 1) {
    for (let k = 1; k <= 20; k++) sum += Math.exp((-((2 * k - 1) ** 2) * Math.PI ** 2) / (8 * x * x));
    return Math.max(0, 1 - (Math.sqrt(2 * Math.PI) / x) * sum);
  }
  for (let k = 1; k <= 20; k++) sum += (k % 2 ? 1 : -1) * Math.exp(-2 * k * k * x * x);
  return Math.min(1, 2 * sum);
}

/** Stephens: √e + .12 + .11/√e in place of √e, with e = nm/(n + m). */
function asymptoticTail(distance: number, n: number, m: number): number {
  const e = Math.sqrt((n * m) / (n + m));
  return distance === 0 ? 1 : kolmogorovTail((e + 0.12 + 0.11 / e) * distance);
}

/**
 * The share of lattice paths from (0, 0) to (n, m) that ever reach distance D. v(i, j) is the share among paths to (i, j), all equally likely: the last
 * step came from (i − 1, j) with probability i/(i + j). Added up as a tail, so that a tiny p keeps its digits.
 */
function exactTail(D: number, n: number, m: number): number {
  // distances on the lattice are multiples of 1/(nm): half a step below D is below no other
  const reached = (Math.round(D * n * m) - 0.5) / (n * m);
  const v = new Float64Array(m + 1);
  for (let j = 1; j <= m; j++) v[j] = j / m >= reached ? 1 : v[j - 1];
  for (let i = 1; i <= n; i++) {
    if (i / n >= reached) v[0] = 1;
    for (let j = 1; j <= m; j++) {
      const outside = Math.abs(i / n - j / m) >= reached;
      v[j] = outside ? 1 : (i * v[j] + j * v[j - 1]) / (i + j);
    }
  }
  return v[m];
}

function largestGap(x: Float64Array, y: Float64Array): number {
  let [i, j, most] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const at = Math.min(x[i], y[j]);
    while (i < x.length && x[i] <= at) i++;
    while (j < y.length && y[j] <= at) j++;
    most = Math.max(most, Math.abs(i / x.length - j / y.length));
  }
  return most;
}

/** The values that are there, ascending; the input stays as it is. */
export function sortedValues(values: Iterable<NumericValue>): Float64Array {
  return Float64Array.from(Array.from(values).filter((v): v is number => v != null && !Number.isNaN(v))).sort();
}
