/**
 * The newest row of a source as it was at any moment: rows in the order in which they came to count, each with the best one
 * so far.
 *
 * I1  A row counts once it is known and its own time has come: what is dated after a question is not its latest.
 * I2  Rows of one time and one known-at go by the entity id's bytes in UTF-8, as in DuckDB (training/join-sql.ts).
 */

import type { LatestGroup } from './plan.js';
import type { Row } from './source-rows.js';
import { compareTexts } from './text-order.js';

export class LatestIndex {
  private rows: Row[] = [];
  private best: Row[] = [];
  private readonly cells: { slot: number; cell: number }[];

  constructor(
    readonly group: LatestGroup,
    columns: readonly string[],
  ) {
    this.cells = group.outputs.map(({ slot, column }) => ({ slot, cell: columns.indexOf(column) }));
  }

  add(rows: readonly Row[]): void {
    if (!rows.length) return;
    const first = rows.reduce((low, row) => Math.min(low, countsFrom(row)), Number.POSITIVE_INFINITY);
    const start = this.countAt(first);
    const tail = [...this.rows.splice(start), ...rows].sort((a, b) => countsFrom(a) - countsFrom(b));
    this.best.length = start;
    for (const row of tail) {
      const best = this.best.at(-1);
      this.rows.push(row);
      this.best.push(best && newer(best, row) ? best : row);
    }
  }

  /** Writes the features as of t; all are missing when the newest row is older than the greatest age. */
  answer(t: number, numbers: Float64Array): void {
    const row = this.best[this.countAt(t) - 1];
    const fresh = row !== undefined && t - row.eventTime <= this.group.maxAgeMs;
    for (const { slot, cell } of this.cells)
      numbers[slot] = fresh ? ((row.cells[cell] as number | undefined) ?? Number.NaN) : Number.NaN;
  }

  trim(horizon: number): void {
    let drop = this.countAt(horizon);
    while (drop > 0 && countsFrom(this.rows[drop - 1]) === horizon) drop--;
    this.rows = this.rows.slice(drop);
    this.best = this.best.slice(drop);
  }

  private countAt(t: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (countsFrom(this.rows[middle]) <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** I1 */
const countsFrom = ({ knownAt, eventTime }: Row): number => Math.max(knownAt, eventTime);

/** Newest by event time; then the later revision; then by name (I2), so that the answer does not hang on arrival. */
function newer(a: Row, b: Row): boolean {
  if (a.eventTime !== b.eventTime) return a.eventTime > b.eventTime;
  if (a.knownAt !== b.knownAt) return a.knownAt > b.knownAt;
  return compareTexts(a.entityId, b.entityId) > 0;
}
