/** The newest row of a source as it was known at any moment: rows by known-at, each with the best one so far. */
import type { LatestGroup } from './plan.js';
import type { Row } from './source-rows.js';

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
    const first = rows.reduce((low, row) => Math.min(low, row.knownAt), Number.POSITIVE_INFINITY);
    const start = this.countAt(first);
    const tail = [...this.rows.splice(start), ...rows].sort((a, b) => a.knownAt - b.knownAt);
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
    while (drop > 0 && this.rows[drop - 1].knownAt === horizon) drop--;
    this.rows = this.rows.slice(drop);
    this.best = this.best.slice(drop);
  }

  private countAt(t: number): number {
    let low = 0;
    let high = this.rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.rows[middle].knownAt <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Newest by event time; then the later revision; then by name, so that the answer does not hang on arrival. */
function newer(a: Row, b: Row): boolean {
  if (a.eventTime !== b.eventTime) return a.eventTime > b.eventTime;
  if (a.knownAt !== b.knownAt) return a.knownAt > b.knownAt;
  return a.entityId > b.entityId;
}
