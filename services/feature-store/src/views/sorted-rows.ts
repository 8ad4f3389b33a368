/** What rows are to those that are there: new, the same again, or at odds with one of the same name. */
import { nameOf, type Row } from './source-rows.js';

export interface SortedRows {
  /** Each once: the first one stays. */
  readonly fresh: Row[];
  readonly duplicates: number;
  /** Same entity, event time and known-at, other cells. */
  readonly contradictory: Row[];
}

/** Sorts rows against those that are held and those before them. */
export function sortRows(rows: readonly Row[], held: (row: Row) => Row | undefined): SortedRows {
  const fresh = new Map<string, Row>();
  const contradictory: Row[] = [];
  let duplicates = 0;
  for (const row of rows) {
    const name = nameOf(row);
    const known = held(row) ?? fresh.get(name);
    if (!known) fresh.set(name, row);
    else if (isSame(known, row)) duplicates++;
    else contradictory.push(row);
  }
  return { fresh: [...fresh.values()], duplicates, contradictory };
}

/** A column that a later spec declares is missing in the rows of before. */
const isSame = (known: Row, row: Row): boolean =>
  row.cells.length === known.cells.length && row.cells.every((cell, i) => cell === known.cells[i]);
