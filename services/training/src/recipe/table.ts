/**
 * The training set in memory: the trainer's columns, labels, and the times that embargo and folds go by.
 *
 * I1  Rows are sorted by question time, ties by entity: the feature store's canonical order.
 * I2  A missing number is NaN, a missing or empty text has code −1.
 */
import type { Dataset } from '@driftloop/algorithms';

export interface TrainingTable extends Dataset {
  readonly labels: Uint8Array;
  /** When it was asked, epoch ms. */
  readonly questionTimes: Float64Array;
  /** When its label became known, epoch ms. */
  readonly knownAt: Float64Array;
  /** First instant of the row's cohort (day), epoch ms. */
  readonly cohorts: Float64Array;
}

/** Row numbers that satisfy a condition, ascending. */
export function rowsWhere(table: TrainingTable, holds: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(table.rows);
  let size = 0;
  for (let row = 0; row < table.rows; row++) if (holds(row)) rows[size++] = row;
  return rows.slice(0, size);
}

/** The cohort of each of the rows. (Not rows.map: epoch ms do not fit an Int32Array.) */
export function cohortsOf(table: TrainingTable, rows: Int32Array): Float64Array {
  return Float64Array.from(rows, (row) => table.cohorts[row]);
}

/** At most `limit` of the rows, evenly spaced over them. */
export function thinned(rows: Int32Array, limit: number): Int32Array {
  if (rows.length <= limit) return rows;
  return Int32Array.from({ length: limit }, (_, i) => rows[Math.floor((i * rows.length) / limit)]);
}

/** Share of label 1 among rows; NaN without rows. */
export function positiveRate(labels: Uint8Array, rows: Int32Array): number {
  let positives = 0;
  for (const row of rows) positives += labels[row];
  return positives / rows.length;
}
