/**
 * Losses: the first and second derivatives that a tree is fitted to (Friedman, "Greedy function approximation", Annals of
 * Statistics 2001; second order as in Chen & Guestrin, "XGBoost", KDD 2016), rounded to fixed-point integers.
 *
 * I1  Gradients are whole multiples of 1/gradientUnit and second derivatives of 1/hessianUnit, with units (powers of two) so
 *     chosen that any sum over the rows stays below 2^53: sums in float64 are exact, so that their order changes nothing and
 *     a sibling's histogram by subtraction equals the one that would have been built.
 * I2  A row's second derivative and its count of one travel in one number, count · countUnit + hessian: a histogram needs two
 *     additions a row, and leaf sizes stay exact.
 */
export interface FixedPoint {
  readonly gradientUnit: number;
  readonly hessianUnit: number;
  readonly countUnit: number;
}

/** More rows than this leave too few bits for the second derivative. */
export const MAX_ROWS = 2 ** 22 - 1;

const exponent = (x: number): number => Math.ceil(Math.log2(x));

/** Units for `rows` rows whose derivatives are at most these in magnitude. */
export function fixedPoint(rows: number, gradientBound: number, hessianBound: number): FixedPoint {
  const bits = exponent(rows + 1);
  const countUnit = 2 ** (53 - bits - 1);
  return {
    gradientUnit: 2 ** (52 - bits - Math.max(-400, exponent(gradientBound))),
    hessianUnit: countUnit / 2 ** (bits + exponent(hessianBound)),
    countUnit,
  };
}

export interface Loss {
  /** The constant that minimizes the loss, made finite where only one class was seen. */
  baseScore(labels: ArrayLike<number>): number;
  /** Units for the next tree. */
  units(scores: Float64Array, labels: ArrayLike<number>): FixedPoint;
  /** Writes, for the k-th of `rows`, gradient and packed second derivative to out[2k], out[2k+1] and to byRow[2·row], byRow[2·row+1]. */
  derivatives(
    scores: Float64Array,
    labels: ArrayLike<number>,
    rows: Int32Array,
    units: FixedPoint,
    out: Float64Array,
    byRow: Float64Array,
  ): void;
  /** Mean loss. */
  mean(scores: Float64Array, labels: ArrayLike<number>): number;
}

const sum = (labels: ArrayLike<number>): number => {
  let total = 0;
  for (let i = 0; i < labels.length; i++) total += labels[i];
  return total;
};

export const logistic: Loss = {
  baseScore(labels) {
    const n = labels.length;
    const ones = sum(labels);
    // Half a row of the class that never occurred keeps the log-odds finite (Jeffreys' prior).
    return ones === 0 || ones === n ? Math.log((ones + 0.5) / (n - ones + 0.5)) : Math.log(ones / (n - ones));
  },
  units: (scores) => fixedPoint(scores.length, 1, 0.25),
  derivatives(scores, labels, rows, { gradientUnit, hessianUnit, countUnit }, out, byRow) {
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k];
      const p = 1 / (1 + Math.exp(-scores[row]));
      const g = Math.floor((p - labels[row]) * gradientUnit + 0.5);
      const h = countUnit + Math.floor(p * (1 - p) * hessianUnit + 0.5);
      out[2 * k] = g;
      out[2 * k + 1] = h;
      byRow[2 * row] = g;
      byRow[2 * row + 1] = h;
    }
  },
  mean(scores, labels) {
    let total = 0;
    // log(1 + e^s) − y·s, in the form that neither overflows nor cancels.
    for (let i = 0; i < scores.length; i++) {
      const s = scores[i];
      total += Math.max(s, 0) - labels[i] * s + Math.log1p(Math.exp(-Math.abs(s)));
    }
    return total / scores.length;
  },
};

export const squared: Loss = {
  baseScore: (labels) => sum(labels) / labels.length,
  units(scores, labels) {
    let bound = Number.MIN_VALUE;
    for (let i = 0; i < scores.length; i++) bound = Math.max(bound, Math.abs(scores[i] - labels[i]));
    return fixedPoint(scores.length, bound, 1);
  },
  derivatives(scores, labels, rows, { gradientUnit, hessianUnit, countUnit }, out, byRow) {
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k];
      const g = Math.floor((scores[row] - labels[row]) * gradientUnit + 0.5);
      out[2 * k] = g;
      out[2 * k + 1] = countUnit + hessianUnit;
      byRow[2 * row] = g;
      byRow[2 * row + 1] = countUnit + hessianUnit;
    }
  },
  mean(scores, labels) {
    let total = 0;
    for (let i = 0; i < scores.length; i++) total += (scores[i] - labels[i]) ** 2;
    return total / scores.length;
  },
};
