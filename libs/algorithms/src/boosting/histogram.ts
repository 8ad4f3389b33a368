/**
 * Histograms of a leaf: for each bin of each sampled column, the sums of gradient and of packed second derivative (loss.ts, I2).
 * Building them is most of a training's time.
 *
 * I1  `ordered` holds the leaf's derivatives side by side in the order of its rows, so that only the bins are looked up by row.
 * I2  Only the smaller child is built; its sibling is parent − child, exactly (loss.ts, I1).
 */
import type { BinnedRows, ColumnBins } from './bins.js';

/** Where each column's bins lie in a histogram: bin b of column c at start[c] + 2b (gradient) and + 2b + 1 (packed). */
export interface Layout {
  readonly start: Int32Array;
  readonly size: number;
}

/** The layout for the sampled `columns` (ascending); columns that are not sampled have no room in it. */
export function layOut(bins: readonly ColumnBins[], columns: Int32Array): Layout {
  const start = new Int32Array(bins.length).fill(-1);
  let size = 0;
  for (const c of columns) {
    start[c] = size;
    size += 2 * (bins[c].bins + 1);
  }
  return { start, size };
}

/** Fills `out` with the sums over rows[from … to). Four columns at a time: each pass reads rows and derivatives once. */
export function buildHistogram(
  out: Float64Array,
  layout: Layout,
  columns: Int32Array,
  data: BinnedRows,
  rows: Int32Array,
  from: number,
  to: number,
  ordered: Float64Array,
): void {
  out.fill(0, 0, layout.size);
  let k = 0;
  for (; k + 4 <= columns.length; k += 4) addFour(out, layout, columns, k, data, rows, from, to, ordered);
  for (; k < columns.length; k++)
    addOne(out, layout.start[columns[k]], columns[k] * data.rows, data.cells, rows, from, to, ordered);
}

function addFour(
  out: Float64Array,
  { start }: Layout,
  columns: Int32Array,
  k: number,
  { rows: height, cells }: BinnedRows,
  rows: Int32Array,
  from: number,
  to: number,
  ordered: Float64Array,
): void {
  const c0 = columns[k] * height;
  const c1 = columns[k + 1] * height;
  const c2 = columns[k + 2] * height;
  const c3 = columns[k + 3] * height;
  const s0 = start[columns[k]];
  const s1 = start[columns[k + 1]];
  const s2 = start[columns[k + 2]];
  const s3 = start[columns[k + 3]];
  for (let i = from, j = 0; i < to; i++, j += 2) {
    const row = rows[i];
    const g = ordered[j];
    const h = ordered[j + 1];
    const a = s0 + (cells[c0 + row] << 1);
    out[a] += g;
    out[a + 1] += h;
    const b = s1 + (cells[c1 + row] << 1);
    out[b] += g;
    out[b + 1] += h;
    const c = s2 + (cells[c2 + row] << 1);
    out[c] += g;
    out[c + 1] += h;
    const d = s3 + (cells[c3 + row] << 1);
    out[d] += g;
    out[d + 1] += h;
  }
}

function addOne(
  out: Float64Array,
  start: number,
  base: number,
  cells: Uint8Array,
  rows: Int32Array,
  from: number,
  to: number,
  ordered: Float64Array,
): void {
  for (let i = from, j = 0; i < to; i++, j += 2) {
    const a = start + (cells[base + rows[i]] << 1);
    out[a] += ordered[j];
    out[a + 1] += ordered[j + 1];
  }
}

/** Turns the parent's histogram into the sibling's. */
export function subtractHistogram(parent: Float64Array, child: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) parent[i] -= child[i];
}

/** Puts the derivatives of rows[from … to) side by side at the start of `ordered`. */
export function gather(byRow: Float64Array, rows: Int32Array, from: number, to: number, ordered: Float64Array): void {
  for (let i = from, j = 0; i < to; i++, j += 2) {
    const k = rows[i] << 1;
    ordered[j] = byRow[k];
    ordered[j + 1] = byRow[k + 1];
  }
}
