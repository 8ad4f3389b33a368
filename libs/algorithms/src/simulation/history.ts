/**
 * Recorded history as a simulation reads it: questions with their labels, in days, each label with the time when it became known.
 *
 * I1  Rows are sorted by question time; a day's rows lie together, since the day goes by the entity's own time, a fixed lead after the question.
 * I2  What is counted or summed at a time is what the loop would know then: a day counts once it is closed, with the labels known at its closing; a label
 *     that comes later counts for growth once its day is censored, and never in a verdict.
 */
import { demand } from '../bad-input.js';

/** One row a labelled question; all arrays are as long, times in epoch ms. */
export interface RecordedRows {
  readonly labels: Uint8Array;
  readonly questionTimes: Float64Array;
  /** When the label became known. */
  readonly knownAt: Float64Array;
  /** First instant of the row's day. */
  readonly cohorts: Float64Array;
  /** Columns that the gate slices by; −1 is missing. */
  readonly slices?: readonly {
    readonly name: string;
    readonly codes: Int32Array;
    readonly values: readonly string[];
  }[];
}

/** What the loop's clockwork goes by, in ms. */
export interface HistoryTimes {
  /** From question to the entity's own time. */
  readonly lead: number;
  /** From a day's first instant to its closing. */
  readonly closing: number;
  /** From a day's first instant to the end of the wait for its labels. */
  readonly censoring: number;
}

/** A day and its rows, from `from` up to `to`. */
export interface Day {
  readonly start: number;
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly closedAt: number;
}

export const DAY_MS = 86_400_000;

export class History {
  /** Every day from the first to the last, those without rows included. */
  readonly days: readonly Day[];
  readonly rows: number;
  /** Labels by the time they became known, and those times as they count for growth, day by day. */
  readonly #known: Float64Array;
  readonly #counted: readonly { readonly at: number; readonly known: Float64Array }[];

  /** @throws BadInput when there are no rows, or they are not sorted. */
  constructor(
    readonly recorded: RecordedRows,
    readonly times: HistoryTimes,
  ) {
    const { questionTimes, knownAt, cohorts } = recorded;
    this.rows = questionTimes.length;
    demand(this.rows > 0, 'history', () => 'there are no rows', 'record some labelled questions first');
    for (let i = 1; i < this.rows; i++)
      demand(
        questionTimes[i] >= questionTimes[i - 1] && cohorts[i] >= cohorts[i - 1],
        'history',
        () => `row ${i} comes before row ${i - 1}`,
        'sort rows by question time',
      );
    this.#known = knownAt.slice().sort();
    this.days = daysOf(cohorts, times.closing);
    this.#counted = this.days.flatMap((day) => countedOf(day, knownAt, times));
  }

  /** Labels known at or before a time: what a training at that cutoff learns from. */
  knownBy(time: number): number {
    return atMost(this.#known, time);
  }

  /** Labels that count for growth at `now`, known after a cutoff. */
  freshAt(now: number, cutoff: number): number {
    let fresh = 0;
    for (const { at, known } of this.#counted) if (at <= now) fresh += known.length - atMost(known, cutoff);
    return fresh;
  }

  /** The newest `count` days closed by a time, oldest first. */
  closedBy(time: number, count: number): readonly Day[] {
    const first = this.days[0];
    const closed = Math.min(this.days.length, Math.floor((time - first.closedAt) / DAY_MS) + 1);
    return this.days.slice(Math.max(0, closed - count), Math.max(0, closed));
  }

  /** The first row asked at or after a time. */
  rowAt(time: number): number {
    return lowerBound(this.recorded.questionTimes, time);
  }
}

function daysOf(cohorts: Float64Array, closing: number): Day[] {
  const days: Day[] = [];
  let row = 0;
  for (let start = cohorts[0]; start <= cohorts[cohorts.length - 1]; start += DAY_MS) {
    const from = row;
    while (row < cohorts.length && cohorts[row] === start) row++;
    days.push({ start, name: new Date(start).toISOString(), from, to: row, closedAt: start + closing });
  }
  demand(
    row === cohorts.length,
    'history',
    () => 'days do not start a day apart',
    'pass the first instant of each row’s day',
  );
  return days;
}

/** I2: a day's labels by when they count. */
function countedOf(day: Day, knownAt: Float64Array, { censoring }: HistoryTimes) {
  const known = knownAt.slice(day.from, day.to).sort();
  const censoredAt = day.start + censoring;
  const closed = atMost(known, day.closedAt);
  const censored = atMost(known, censoredAt);
  return [
    { at: day.closedAt, known: known.subarray(0, closed) },
    { at: censoredAt, known: known.subarray(closed, censored) },
    ...Array.from(known.subarray(censored), (late) => ({ at: late, known: Float64Array.of(late) })),
  ].filter((part) => part.known.length > 0);
}

/** How many of the ascending values are at most x. */
function atMost(values: Float64Array, x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first position whose value is at least x. */
function lowerBound(values: Float64Array, x: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
