/**
 * The embargo: the newest whole cohorts (days), which neither champion nor twin has seen; they are compared there.
 *
 * I1  A day is whole when it ended at least `label.closeAfter` before the knowledge cutoff: late labels are in.
 * I2  It begins at or after the champion's own knowledge cutoff, so that the champion has learned nothing of it.
 * I3  Of the days that qualify, the fewest newest ones that hold `minDays` and `minRows`; never above `maxDays`.
 * I4  The twin learns from rows whose label was known before the first embargoed question could be asked.
 */
import { durationMs, type ModelSpec } from '@driftloop/contracts';
import { errors } from '../errors.js';
import { rowsWhere, type TrainingTable } from './table.js';

const DAY = 86_400_000;
/** Fewer teach nothing once folds and validation have taken their part. */
export const TWIN_ROWS = 500;

export interface Embargo {
  /** First instant of the first embargoed day, epoch ms. */
  readonly start: number;
  /** First instants of the days, ascending. */
  readonly days: readonly number[];
  readonly rows: Int32Array;
  readonly twinRows: Int32Array;
}

export interface Cutoffs {
  /** What this training may know, epoch ms. */
  readonly knowledge: number;
  /** What the champion knew, epoch ms; undefined when it has learned nothing. */
  readonly champion: number | undefined;
}

/** Chooses the embargoed days. Throws INSUFFICIENT_DATA when they are too few, or too little is left for the twin. */
export function chooseEmbargo(table: TrainingTable, spec: ModelSpec, cutoffs: Cutoffs): Embargo {
  const { minDays, maxDays, minRows } = spec.spec.gate.embargo;
  const candidates = wholeDays(table, spec, cutoffs);
  const days: number[] = [];
  let rows = 0;
  for (const [day, count] of candidates) {
    if (days.length === maxDays || (days.length >= minDays && rows >= minRows)) break;
    days.unshift(day);
    rows += count;
  }
  if (days.length < minDays || rows < minRows)
    throw errors.INSUFFICIENT_DATA({
      found: `${rows} labelled rows on ${days.length} closed days that the champion has not seen`,
      needed: `${minRows} rows on ${minDays} to ${maxDays} days`,
    });
  return withRows(table, spec, days);
}

/** Whole days and their rows, newest first. */
function wholeDays(table: TrainingTable, spec: ModelSpec, { knowledge, champion }: Cutoffs): [number, number][] {
  const closeAfter = durationMs(spec.spec.label.closeAfter);
  const counts = new Map<number, number>();
  for (const day of table.cohorts)
    if (day + DAY + closeAfter <= knowledge && (champion === undefined || day >= champion))
      counts.set(day, (counts.get(day) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => b - a);
}

function withRows(table: TrainingTable, spec: ModelSpec, days: number[]): Embargo {
  const [start] = days;
  const chosen = new Set(days);
  const firstQuestion = start - durationMs(spec.spec.question.lead);
  const rows = rowsWhere(table, (row) => chosen.has(table.cohorts[row]));
  const twinRows = rowsWhere(table, (row) => table.knownAt[row] <= firstQuestion);
  if (twinRows.length < TWIN_ROWS)
    throw errors.INSUFFICIENT_DATA({
      found: `${twinRows.length} labelled rows before the embargo of ${days.length} days`,
      needed: `${TWIN_ROWS} rows`,
    });
  return { start, days, rows, twinRows };
}
