/**
 * Population Stability Index: how far the values of a feature (or of the predictions) have moved from a reference.
 * PSI = Σ (a_i − e_i) · ln(a_i / e_i) over bins, a the shares now and e the shares of the reference: Jeffreys' divergence of the two (Kullback & Leibler
 * 1951; Siddiqi, Credit Risk Scorecards, 2006, for its use; Yurdakul & Naranjo, Journal of Risk Model Validation 2020, for its distribution).
 * Below .1 is read as stable, above .25 as moved. It diagnoses; statistics of the flights show that it should not trigger alone.
 *
 * Numeric features: quantile bins of the reference, and a bin for missing. Categorical: the k most frequent values, other, missing.
 * Shares are smoothed by half a count a bin, so that an empty bin stays finite.
 *
 * I1  Counts are integers and merge by addition: the order of rows and of partial counts cannot change the index.
 * I2  The layout is part of the reference: counts of another layout are refused.
 * I3  A value is in one bin with what float32 makes of it, whichever of both the reference saw: who sends the same numbers in
 *     another precision has not moved. Where float32 would merge the reference's values, they are taken as they are.
 *
 * @example
 * const reference = numericReference(lastMonth, { bins: 10 });
 * const now = countInto(reference, thisWeek);
 * populationStability(reference, now); // .03
 */
import { BadInput, demand } from '../bad-input.js';
import { float32Merges } from '../float32.js';

/** The layout of the bins and the reference's own counts; plain JSON. Bin order: values, then (categorical) other, then missing. */
export type ReferenceHistogram = NumericReference | CategoricalReference;

export interface NumericReference {
  readonly kind: 'numeric';
  /** Ascending upper edges: bin i holds edges[i−1] < v ≤ edges[i]; the last value bin is open. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

export interface CategoricalReference {
  readonly kind: 'categorical';
  /** The categories that have a bin of their own. */
  readonly categories: readonly string[];
  readonly counts: readonly number[];
}

/** Counts of the bins of one reference; plain JSON, merged by `mergeCounts`. */
export interface BinCounts {
  readonly counts: readonly number[];
}

export type NumericValue = number | null | undefined;
export type CategoricalValue = string | null | undefined;

const isMissing = (v: unknown): v is null | undefined =>
  v === null || v === undefined || (typeof v === 'number' && Number.isNaN(v));

/** Quantile bins of a reference sample; NaN, null and undefined are missing. @param options.bins value bins at most, default 10; ties give fewer. */
export function numericReference(values: Iterable<NumericValue>, options: { bins?: number } = {}): NumericReference {
  const { bins = 10 } = options;
  demand(
    Number.isInteger(bins) && bins >= 2,
    'numericReference.bins',
    () => String(bins),
    'pass a whole number of at least 2',
  );
  const all = Array.from(values, (v) => (isMissing(v) ? Number.NaN : v));
  const sorted = Float64Array.from(all.filter((v) => !Number.isNaN(v))).sort();
  const layout: NumericReference = { kind: 'numeric', edges: quantileEdges(sorted, bins), counts: [] };
  return { ...layout, counts: countInto(layout, all).counts };
}

/** Cuts lie halfway between neighbours in the sample, so that a value on an edge is not an accident of rounding (I3). */
function quantileEdges(sorted: Float64Array, bins: number): number[] {
  if (sorted.length === 0) return [];
  const round = float32Merges(sorted) ? (x: number) => x : Math.fround;
  const edges: number[] = [];
  for (let b = 1; b < bins; b++) {
    const at = sorted[Math.max(0, Math.ceil((b * sorted.length) / bins) - 1)];
    const next = firstAbove(sorted, round(at), round);
    if (next === sorted.length) break;
    const edge = edgeBetween(sorted[next - 1], sorted[next], round);
    if (Number.isFinite(edge) && (edges.length === 0 || edge > edges[edges.length - 1])) edges.push(edge);
  }
  return edges.length > 0 ? edges : aroundMode(sorted);
}

/** I3: `low` and what it is rounded to lie at or below the edge, `above` and what that is rounded to above it. */
function edgeBetween(low: number, above: number, round: (x: number) => number): number {
  const edge = low + (above - low) / 2;
  const [least, limit] = [Math.max(low, round(low)), Math.min(above, round(above))];
  return edge >= least && edge < limit ? edge : least;
}

/** Twice the greatest relative error of float32. */
const float32Error = 2 ** -23;

/** A sample that is (nearly) one value has no quantile cuts: bracket the value, so that leaving it on either side is seen (I3). */
function aroundMode(sorted: Float64Array): number[] {
  const mode = sorted[sorted.length >> 1];
  const width = Math.max(1e-9, Math.abs(mode) * float32Error);
  return Number.isFinite(mode) ? [mode - width, mode + width] : [];
}

/** Index of the first value whose rounding is above one; their number where there is none. */
function firstAbove(sorted: Float64Array, value: number, round: (x: number) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (round(sorted[mid]) > value) high = mid;
    else low = mid + 1;
  }
  return low;
}

/** The k most frequent values of a reference sample, ties by name. @param options.top default 20. */
export function categoricalReference(
  values: Iterable<CategoricalValue>,
  options: { top?: number } = {},
): CategoricalReference {
  const { top = 20 } = options;
  demand(
    Number.isInteger(top) && top >= 1,
    'categoricalReference.top',
    () => String(top),
    'pass a whole number of at least 1',
  );
  const all = [...values];
  const frequency = new Map<string, number>();
  for (const v of all) if (!isMissing(v)) frequency.set(v, (frequency.get(v) ?? 0) + 1);
  const ranked = [...frequency].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const layout: CategoricalReference = {
    kind: 'categorical',
    categories: ranked.slice(0, top).map(([c]) => c),
    counts: [],
  };
  return { ...layout, counts: countInto(layout, all).counts };
}

/** Number of bins, missing (and other) included. */
export function binsOf(reference: ReferenceHistogram): number {
  return reference.kind === 'numeric' ? reference.edges.length + 2 : reference.categories.length + 2;
}

/** The bin of one value. @throws BadInput when a category reaches a numeric histogram or the reverse. */
export function binOf(reference: ReferenceHistogram, value: NumericValue | CategoricalValue): number {
  if (isMissing(value)) return binsOf(reference) - 1;
  if (reference.kind === 'numeric' && typeof value === 'number') return lowerBound(reference.edges, value);
  if (reference.kind === 'categorical' && typeof value === 'string') {
    const at = reference.categories.indexOf(value);
    return at < 0 ? reference.categories.length : at;
  }
  throw new BadInput(
    'binOf',
    `a ${typeof value} for a ${reference.kind} feature`,
    'count values of the type that the reference was built from',
  );
}

function lowerBound(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (edges[mid] < value) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Zero counts in a reference's layout. */
export const emptyCounts = (reference: ReferenceHistogram): BinCounts => ({
  counts: new Array(binsOf(reference)).fill(0),
});

/** Counts values into the bins of a reference. */
export function countInto(reference: ReferenceHistogram, values: Iterable<NumericValue | CategoricalValue>): BinCounts {
  const counts: number[] = new Array(binsOf(reference)).fill(0);
  for (const v of values) counts[binOf(reference, v)]++;
  return { counts };
}

/** Adds counts of one layout. @throws BadInput when the layouts differ. */
export function mergeCounts(...parts: readonly BinCounts[]): BinCounts {
  const [first, ...rest] = parts;
  demand(first !== undefined, 'mergeCounts', () => 'nothing to merge', 'pass at least one');
  const counts = [...first.counts];
  for (const part of rest) {
    const same = part.counts.length === counts.length;
    demand(
      same,
      'mergeCounts',
      () => `${part.counts.length} bins and ${counts.length}`,
      'merge counts of the same reference',
    );
    part.counts.forEach((n, i) => {
      counts[i] += n;
    });
  }
  return { counts };
}

/** The index from integer counts, each bin smoothed by half a count; 0 when either side is empty. @throws BadInput when the layouts differ. */
export function populationStability(reference: BinCounts, now: BinCounts): number {
  const bins = reference.counts.length;
  const same = now.counts.length === bins;
  demand(
    same,
    'populationStability',
    () => `${now.counts.length} bins against ${bins}`,
    'count into the same reference',
  );
  const total = (c: readonly number[]): number => c.reduce((s, n) => s + n, 0);
  const expected = total(reference.counts);
  const actual = total(now.counts);
  if (expected === 0 || actual === 0) return 0;
  let index = 0;
  for (let i = 0; i < bins; i++) {
    const e = (reference.counts[i] + 0.5) / (expected + 0.5 * bins);
    const a = (now.counts[i] + 0.5) / (actual + 0.5 * bins);
    index += (a - e) * Math.log(a / e);
  }
  return index;
}

/** The index that two samples of one distribution show on average: (bins − 1)(1/n + 1/m). What lies below it is noise. */
export function stabilityNoise(reference: BinCounts, now: BinCounts): number {
  const total = (c: readonly number[]): number => c.reduce((s, n) => s + n, 0);
  const used = reference.counts.filter((n, i) => n + now.counts[i] > 0).length;
  return Math.max(0, used - 1) * (1 / Math.max(1, total(reference.counts)) + 1 / Math.max(1, total(now.counts)));
}
