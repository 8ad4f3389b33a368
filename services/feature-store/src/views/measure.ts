/**
 * What a cell adds to a running sum, as whole numbers: sums are then exact, so that their order, a trimmed prefix or
 * a join in another engine cannot change a feature.
 *
 * I1  A value is kept as its digits in base 2^30, each with the value's sign: every number that a door takes (up to 3.4e38) is
 *     its digits' sum exactly, down to units of 2^-150.
 * I2  Up to 8 million rows a key, each digit's sum stays below 2^53.
 * I3  A sum of digits is made a number from the largest unit down, in both engines: the same operations, the same double.
 */
import type { Measure } from './plan.js';

const base = 2 ** 30;
/** What a one of each digit is worth, the largest first. */
export const units: readonly number[] = [120, 90, 60, 30, 0, -30, -60, -90, -120, -150].map((power) => 2 ** power);
const ones = units.indexOf(1);
/** Lanes of a measure: cells present, then the sum of each digit. */
export const lanesOf = 1 + units.length;

/** Writes what a cell adds, at `lanes[at…]`, which are 0. A missing cell adds nothing; a count without a column always counts. */
export function contribute(measure: Measure, cell: number | undefined, lanes: Float64Array, at: number): void {
  const present = measure.column === undefined || cell !== undefined;
  lanes[at] = present ? 1 : 0;
  if (!present || cell === undefined) return;
  const value = clipped(measure, cell);
  // Nearly every value is one digit.
  if (Number.isInteger(value) && Math.abs(value) < base) lanes[at + 1 + ones] = value;
  else for (let digit = 0; digit < units.length; digit++) lanes[at + 1 + digit] = digitOf(value, digit);
}

function clipped({ clip, above }: Measure, cell: number): number {
  if (above !== undefined) return cell > above ? 1 : 0;
  return clip ? Math.max(clip[0], Math.min(clip[1], cell)) : cell;
}

/** I1: each step is exact, but for the last digit's, which is rounded. */
function digitOf(value: number, digit: number): number {
  const unit = units[digit];
  const size = Math.abs(value);
  const rest = size - Math.floor(size / (unit * base)) * (unit * base);
  const count = Math.floor(digit === units.length - 1 ? rest / unit + 0.5 : rest / unit);
  return value < 0 ? -count : count;
}

/** `digitOf` in SQL. */
export function digitSql(value: string, digit: number): string {
  const unit = `${units[digit]}::DOUBLE`;
  const above = `${units[digit] * base}::DOUBLE`;
  const rest = `(abs(${value}) - floor(abs(${value}) / ${above}) * ${above}) / ${unit}`;
  const count = `floor(${digit === units.length - 1 ? `${rest} + 0.5::DOUBLE` : rest})`;
  return `(CASE WHEN ${value} < 0 THEN -${count} ELSE ${count} END)`;
}
