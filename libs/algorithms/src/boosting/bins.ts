/**
 * Bins: each column becomes one byte a row, so that a histogram is an array index and a split a comparison of bytes.
 * Equal-frequency bins with frequent values in bins of their own, as in LightGBM (Ke et al., NeurIPS 2017, §2.1).
 *
 * I1  bin(x) = the first b with fround(x) <= edges[b]; an edge is a float32 that lies between two values of the training set,
 *     so a split at a bin and a split at its edge send every row, seen or not, the same way. A column whose values float32
 *     would merge (`float32Merges`) is compared as it is, x <= edges[b], with edges that are doubles.
 * I2  The last bin (index `bins`) holds missing values; for categories also the unseen and the rare ("other").
 * I3  Columns are kept in the order of their names, and categories too: neither the order of the columns nor that of a
 *     dictionary changes a model.
 */
import { float32Merges } from '../float32.js';
import type { CategoricalColumn, Column, Dataset, Features } from './dataset.js';
import type { BoosterParameters } from './parameters.js';

export interface NumericBins {
  readonly kind: 'numeric';
  readonly name: string;
  /** Number of bins without the one for missing. */
  readonly bins: number;
  /** bins − 1 upper bounds, ascending, float32-exact unless the column is compared in double. */
  readonly edges: Float64Array;
  /** Present where values are compared as they are, not rounded to float32. */
  readonly precision?: 'double';
}

export interface CategoricalBins {
  readonly kind: 'categorical';
  readonly name: string;
  readonly bins: number;
  /** The categories that have a bin of their own, ascending. */
  readonly categories: readonly string[];
}

export type ColumnBins = NumericBins | CategoricalBins;

/** All columns' bytes, column after column: cell (row, column c) is at c · rows + row. */
export interface BinnedRows {
  readonly rows: number;
  readonly cells: Uint8Array;
}

/** The greatest finite float32. */
export const FLOAT32_MAX = 3.4028234663852886e38;
/** Edges are taken from at most this many evenly spaced rows: quantiles need no more, and sorting is what binning costs. */
const EDGE_ROWS = 50_000;

/** Bins for every column, in order of name. */
export function makeBins(data: Dataset, parameters: BoosterParameters): ColumnBins[] {
  const columns = [...data.columns].sort((a, b) => (a.name < b.name ? -1 : 1));
  return columns.map((column) =>
    column.kind === 'numeric'
      ? { kind: 'numeric', name: column.name, ...numericBins(column.values, parameters.maxBins - 1) }
      : { kind: 'categorical', name: column.name, ...categoricalBins(column, parameters) },
  );
}

function numericBins(values: Float64Array, most: number): Omit<NumericBins, 'kind' | 'name'> {
  const sample = sortedSample(values);
  const double = float32Merges(sample);
  const distinct: number[] = [];
  const counts: number[] = [];
  for (const exact of sample) {
    const x = double ? exact : Math.fround(exact);
    if (x === distinct.at(-1)) counts[counts.length - 1]++;
    else {
      distinct.push(x);
      counts.push(1);
    }
  }
  const last = distinct.length <= most ? distinct.map((_, i) => i) : equalFrequency(counts, sample.length, most);
  const edges = new Float64Array(Math.max(0, last.length - 1));
  const between = double ? betweenDoubles : betweenFloats;
  for (let b = 0; b < edges.length; b++) edges[b] = between(distinct[last[b]], distinct[last[b] + 1]);
  return { bins: edges.length + 1, edges, ...(double && { precision: 'double' }) };
}

/** Present values, ascending. */
function sortedSample(values: Float64Array): Float64Array {
  const take = Math.min(values.length, EDGE_ROWS);
  const sample = new Float64Array(take);
  let size = 0;
  for (let i = 0; i < take; i++) {
    const x = values[take === values.length ? i : Math.floor((i * values.length) / take)];
    // + 0 makes -0 and 0 one value.
    if (!Number.isNaN(x)) sample[size++] = x + 0;
  }
  return sample.subarray(0, size).sort();
}

/** Index of the last distinct value of each bin: values as frequent as a bin stand alone, the others share what is left evenly. */
function equalFrequency(counts: readonly number[], total: number, most: number): number[] {
  const frequent = counts.map((c) => c >= total / most);
  let restRows = total;
  let restBins = most;
  counts.forEach((c, i) => {
    if (frequent[i]) {
      restRows -= c;
      restBins--;
    }
  });
  let target = restRows / Math.max(1, restBins);
  const last: number[] = [];
  let held = 0;
  for (let i = 0; i < counts.length - 1 && last.length < most - 1; i++) {
    held += counts[i];
    if (!frequent[i]) restRows -= counts[i];
    if (frequent[i] || held >= target || (frequent[i + 1] && held >= Math.max(1, target / 2))) {
      last.push(i);
      if (!frequent[i]) target = restRows / Math.max(1, --restBins);
      held = 0;
    }
  }
  last.push(counts.length - 1);
  return last;
}

/** A double t with a <= t < b. */
function betweenDoubles(a: number, b: number): number {
  const middle = a / 2 + b / 2;
  return middle >= a && middle < b ? middle : a;
}

/** A finite float32 t with a <= t < b. */
function betweenFloats(a: number, b: number): number {
  const middle = Math.fround(a / 2 + b / 2);
  return Math.abs(middle) <= FLOAT32_MAX && middle >= a && middle < b ? middle : Math.max(a, -FLOAT32_MAX);
}

function categoricalBins(
  column: CategoricalColumn,
  parameters: BoosterParameters,
): { bins: number; categories: string[] } {
  const counts = new Float64Array(column.categories.length);
  for (const code of column.codes) if (code >= 0) counts[code]++;
  const categories = column.categories
    .map((text, code) => ({ text, rows: counts[code] }))
    .filter(({ rows }) => rows >= parameters.minRowsPerCategory)
    .sort((a, b) => b.rows - a.rows || (a.text < b.text ? -1 : 1))
    .slice(0, parameters.maxBins - 1)
    .map(({ text }) => text)
    .sort((a, b) => (a < b ? -1 : 1));
  return { bins: categories.length, categories };
}

/** Encodes the columns that `bins` name, found by name; the caller has checked that they are there and of the same kind. */
export function encode(data: Features, bins: readonly ColumnBins[]): BinnedRows {
  const cells = new Uint8Array(bins.length * data.rows);
  const byName = new Map<string, Column>(data.columns.map((column) => [column.name, column]));
  bins.forEach((column, c) => {
    const out = cells.subarray(c * data.rows, (c + 1) * data.rows);
    const source = byName.get(column.name);
    if (source?.kind === 'numeric' && column.kind === 'numeric') encodeNumeric(source.values, column, out);
    else if (source?.kind === 'categorical' && column.kind === 'categorical') encodeCategories(source, column, out);
  });
  return { rows: data.rows, cells };
}

function encodeNumeric(values: Float64Array, { edges, bins, precision }: NumericBins, out: Uint8Array): void {
  // Padded to 256 so that the search is eight steps without a test of its bounds.
  const padded = new Float64Array(256).fill(Infinity);
  padded.set(edges);
  for (let row = 0; row < values.length; row++) {
    const raw = values[row];
    if (Number.isNaN(raw)) {
      out[row] = bins;
      continue;
    }
    const x = precision ? raw : Math.fround(raw);
    let b = 0;
    for (let step = 128; step > 0; step >>= 1) if (padded[b + step - 1] < x) b += step;
    out[row] = b;
  }
}

function encodeCategories(source: CategoricalColumn, { categories, bins }: CategoricalBins, out: Uint8Array): void {
  const binOf = categoryIndex(source.categories, categories, bins);
  for (let row = 0; row < out.length; row++) {
    const code = source.codes[row];
    out[row] = code < 0 ? bins : binOf[code];
  }
}

/** For each category of `from`, its place in `to`, or `other` where it has none. */
export function categoryIndex(from: readonly string[], to: readonly string[], other: number): Int32Array {
  const place = new Map(to.map((text, i) => [text, i]));
  return Int32Array.from(from, (text) => place.get(text) ?? other);
}
