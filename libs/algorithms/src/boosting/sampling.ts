/**
 * Rows and columns for each tree, drawn without replacement (Friedman, "Stochastic gradient boosting", 2002).
 */
import type { Random } from '../random.js';

/** The drawn rows and the rest, both ascending. */
export interface DrawnRows {
  readonly drawn: Int32Array;
  readonly rest: Int32Array;
}

/**
 * Draws exactly round(share · rows) rows, at least one, in one pass (Fan, Muller & Rezucha 1962, Knuth's algorithm S). The pass runs
 * on a xorshift32 of its own (Marsaglia 2003), seeded from `random`: one step a row of the year is felt.
 */
export function drawRows(rows: number, share: number, random: Random): DrawnRows {
  const size = Math.max(1, Math.round(share * rows));
  const drawn = new Int32Array(size);
  const rest = new Int32Array(rows - size);
  let state = random.word() | 1;
  let taken = 0;
  for (let row = 0; row < rows; row++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    if ((state >>> 0) * (rows - row) < (size - taken) * 4294967296) drawn[taken++] = row;
    else rest[row - taken] = row;
  }
  return { drawn, rest };
}

/** Draws round(share · columns) columns, at least one, ascending. */
export function drawColumns(columns: number, share: number, random: Random): Int32Array {
  const all = random.shuffle(Int32Array.from({ length: columns }, (_, c) => c));
  return all.slice(0, Math.max(1, Math.round(share * columns))).sort();
}
