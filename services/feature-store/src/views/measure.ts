/**
 * What a cell adds to a running sum, as whole numbers: sums are then exact, so that their order, a trimmed prefix or
 * a join in another engine cannot change a feature.
 *
 * I1  A value v is kept as floor(v) and the rest in units of 2^-30 (about 1e-9); |v| is limited to 2^40.
 * I2  Up to 8 million rows a key, all three lanes stay below 2^53.
 */
import type { Measure } from './plan.js';

export const fraction = 2 ** 30;
export const largest = 2 ** 40;
/** Lanes of a measure: cells present, sum of the whole parts, sum of the fractions. */
export const lanesOf = 3;

/** Writes what a cell adds, at `lanes[at…]`. A missing cell adds nothing; a count without a column always counts. */
export function contribute(measure: Measure, cell: number | undefined, lanes: Float64Array, at: number): void {
  const present = measure.column === undefined || cell !== undefined;
  lanes[at] = present ? 1 : 0;
  const value = present && cell !== undefined ? clipped(measure, cell) : 0;
  const whole = Math.floor(value);
  lanes[at + 1] = whole;
  lanes[at + 2] = Math.floor((value - whole) * fraction + 0.5);
}

function clipped({ clip, above }: Measure, cell: number): number {
  if (above !== undefined) return cell > above ? 1 : 0;
  const [low, high] = clip ?? [-largest, largest];
  return Math.max(low, -largest, Math.min(high, largest, cell));
}

/** The mean of the summed cells; NaN when there is none. The offline join computes the same expression. */
export function meanOf(count: number, whole: number, parts: number): number {
  return count > 0 ? (whole + parts / fraction) / count : Number.NaN;
}
