/**
 * The champion as a witness against labels: a day's counts of (probability, label) in fixed bins, and its residuals.
 *
 * Probabilities fall into 1,024 bins of equal width in logit over [−8, 8]. From such counts the area under the ROC curve is
 * known up to the pairs that share a bin: with ties counting one half it is off by at most ½ Σ pos·neg / (P·N) over the
 * bins, which `binnedAuc` returns with it. All sums are integers, so that the order of rows cannot change them.
 *
 * @example
 * const day = witnessOf('doors', [{ p: 0.3, y: 1 }, { p: 0.1, y: 0 }]);
 * binnedAuc(day.bins); // { auc: 1, error: 0, positives: 1, negatives: 1 }
 */
import { residualMicro } from '../drift/calibration-gap.js';

/** One source's labels of one day against one witness. Bins are [bin, negatives, positives] flattened, bins ascending. */
export interface WitnessSums {
  readonly source: string;
  readonly rows: number;
  readonly positives: number;
  /** Σ (y − p) in micro-units. */
  readonly residualMicro: number;
  readonly bins: readonly number[];
}

const BINS = 1024;
const REACH = 8;

/** The bin of a probability; 0 and 1 fall into the outermost. */
export function witnessBin(p: number): number {
  const logit = Math.log(p / (1 - p));
  return Math.min(BINS - 1, Math.max(0, Math.floor(((logit + REACH) * BINS) / (2 * REACH))));
}

/** The sums of some rows of a source. */
export function witnessOf(source: string, rows: Iterable<{ p: number; y: 0 | 1 }>): WitnessSums {
  const counts = new Map<number, [number, number]>();
  const sums = { rows: 0, positives: 0, residual: 0 };
  for (const { p, y } of rows) {
    const bin = witnessBin(p);
    const count = counts.get(bin) ?? [0, 0];
    count[y]++;
    counts.set(bin, count);
    sums.rows++;
    sums.positives += y;
    sums.residual += residualMicro(p, y);
  }
  const { rows: n, positives, residual } = sums;
  return { source, rows: n, positives, residualMicro: residual, bins: flatten(counts) };
}

/** The sums of several, as of one source. */
export function mergeWitness(source: string, parts: readonly WitnessSums[]): WitnessSums {
  const counts = new Map<number, [number, number]>();
  for (const { bins } of parts)
    for (let i = 0; i < bins.length; i += 3) {
      const count = counts.get(bins[i]) ?? [0, 0];
      count[0] += bins[i + 1];
      count[1] += bins[i + 2];
      counts.set(bins[i], count);
    }
  const sum = (field: 'rows' | 'positives' | 'residualMicro') => parts.reduce((total, part) => total + part[field], 0);
  return {
    source,
    rows: sum('rows'),
    positives: sum('positives'),
    residualMicro: sum('residualMicro'),
    bins: flatten(counts),
  };
}

const flatten = (counts: ReadonlyMap<number, readonly [number, number]>): number[] =>
  [...counts].sort(([a], [b]) => a - b).flatMap(([bin, [negatives, positives]]) => [bin, negatives, positives]);

export interface BinnedAuc {
  /** Ties within a bin count one half; NaN where only one class is present. */
  readonly auc: number;
  /** The exact value lies within auc ± error. */
  readonly error: number;
  readonly positives: number;
  readonly negatives: number;
}

/** The area under the ROC curve from bins, and how far the exact one can be from it. */
export function binnedAuc(bins: readonly number[]): BinnedAuc {
  let [twice, shared, below, positives] = [0, 0, 0, 0];
  for (let i = 0; i < bins.length; i += 3) {
    const [, neg, pos] = bins.slice(i, i + 3);
    twice += pos * (2 * below + neg);
    shared += pos * neg;
    below += neg;
    positives += pos;
  }
  const pairs = 2 * positives * below;
  return { auc: twice / pairs, error: shared / pairs, positives, negatives: below };
}
