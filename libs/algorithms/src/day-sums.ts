/**
 * Day sums: the integer sums per closed day that calibration gap, performance and gate are computed from.
 *
 * I1  Every `sum` is an integer in fixed units (micro or nano), so the order in which rows arrive cannot change it.
 * I2  Statistics over days walk them in ascending order of `day`, so the order in which days arrive cannot change a float either.
 */
import { demand } from './bad-input.js';

/** Sum over the rows of one closed day (cohort), or other block. `day` sorts by time as text: an ISO date or date-time. */
export interface DaySum {
  readonly day: string;
  readonly rows: number;
  readonly sum: number;
}

/** Fraction to integer units of 10⁻⁶. */
export const MICRO = 1e6;
/** Loss to integer units of 10⁻⁹: 1.9 million rows of the largest clipped loss still fit an exact integer. */
export const NANO = 1e9;

const byDay = (a: DaySum, b: DaySum): number => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0);

/** Adds up entries of the same day and sorts by day; entries without rows are dropped. @throws BadInput when a sum is no exact integer. */
export function mergeDays(where: string, ...lists: (readonly DaySum[])[]): DaySum[] {
  const merged = new Map<string, { day: string; rows: number; sum: number }>();
  for (const { day, rows, sum } of lists.flat()) {
    const entry = merged.get(day) ?? { day, rows: 0, sum: 0 };
    entry.rows += rows;
    entry.sum += sum;
    demand(
      Number.isSafeInteger(entry.rows) && rows >= 0 && Number.isSafeInteger(entry.sum),
      where,
      () => `day ${day} has rows ${rows} and sum ${sum}`,
      'pass whole numbers below 2^53: sums in integer units',
    );
    merged.set(day, entry);
  }
  return [...merged.values()].filter((d) => d.rows > 0).sort(byDay);
}

/** The last `count` days by name, sorted. */
export function lastDays(days: readonly DaySum[], count: number): DaySum[] {
  return count <= 0 ? [] : [...days].sort(byDay).slice(-count);
}

/** Totals over days. */
export function totals(days: readonly DaySum[]): { rows: number; sum: number; days: number } {
  let rows = 0;
  let sum = 0;
  for (const d of days) {
    rows += d.rows;
    sum += d.sum;
  }
  return { rows, sum, days: days.length };
}

/** `2013-02-01 to 2013-02-14`, for notes; empty without days. */
export function windowOf(days: readonly DaySum[]): string {
  return days.length === 0 ? '' : `${days[0].day} to ${days[days.length - 1].day}`;
}
