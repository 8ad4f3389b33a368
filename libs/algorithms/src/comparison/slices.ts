/**
 * Harm by slice: is the challenger significantly worse on any part of the traffic? One-sided paired block test on each slice of enough rows,
 * with Holm's step-down correction, so that the chance of refusing any harmless challenger stays at the level.
 * (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 1979.)
 *
 * @example
 * harmBySlice([{ slice: 'carrier=UA', days: [{ day: '2013-02-01', rows: 90, sum: -4_100_000 }, …] }]); // evidence, one a tested slice
 */
import type { DaySum } from '../day-sums.js';
import type { Evidence } from '../evidence.js';
import { finite } from '../evidence.js';
import { type BlockComparison, compareBlocks } from './paired-blocks.js';
import { studentQuantile, studentTail } from './student-t.js';

/** Day sums of δ (nano-units) over the rows of one slice. */
export interface SliceDays {
  /** Name of the slice as reports show it: 'carrier=UA'. */
  readonly slice: string;
  readonly days: readonly DaySum[];
}

export interface SliceOptions {
  /** Slices with fewer rows are not tested. Default 500. */
  readonly minRows?: number;
  /** Family-wise level. Default .01. */
  readonly level?: number;
}

/** Holm's step-down thresholds in the order of the p-values given: reject while p ≤ level/(K − rank). */
export function holm(pValues: readonly number[], level: number): { threshold: number; rejected: boolean }[] {
  const order = pValues.map((p, i) => ({ p, i })).sort((a, b) => a.p - b.p || a.i - b.i);
  const result: { threshold: number; rejected: boolean }[] = new Array(pValues.length);
  let open = true;
  order.forEach(({ p, i }, rank) => {
    const threshold = level / (pValues.length - rank);
    open &&= p <= threshold;
    result[i] = { threshold, rejected: open };
  });
  return result;
}

/** Evidence 'slice harm' for each slice tested, most harmed first; `holds` means harm. Threshold is the t below which Holm would reject at its rank. */
export function harmBySlice(slices: readonly SliceDays[], options: SliceOptions = {}): Evidence[] {
  const { minRows = 500, level = 0.01 } = options;
  const tested = slices
    .map(({ slice, days }) => ({ slice, c: compareBlocks(days) }))
    .filter(({ c }) => c.rows >= minRows && c.days >= 2);
  const corrected = holm(
    tested.map(({ c }) => studentTail(-c.t, c.days - 1)),
    level,
  );
  return tested
    .map(({ slice, c }, i) => harm(slice, c, corrected[i]))
    .sort((a, b) => a.statistic - b.statistic || (a.subject < b.subject ? -1 : 1));
}

function harm(
  slice: string,
  c: BlockComparison,
  { threshold, rejected }: { threshold: number; rejected: boolean },
): Evidence {
  return {
    test: 'slice harm',
    subject: slice,
    statistic: finite(c.t),
    threshold: finite(studentQuantile(threshold, c.days - 1)),
    holds: rejected,
    rows: c.rows,
    days: c.days,
    note: `mean δ ${c.m.toPrecision(4)}, Holm level ${threshold.toPrecision(3)}, ${c.window}`,
  };
}
