/**
 * What diagnosis needs of the rows behind the histograms: how their days differ, the same by slice, and what the twin lost
 * in each bin of the embargoed days.
 *
 * I1  A slice is a value of a column that monitoring slices by, with enough rows; at most 20, the largest.
 */
import {
  type BinLosses,
  binOf,
  binsOf,
  type Column,
  type DiagnosisReference,
  daySpread,
  float32Decimal,
  logLossNano,
  lossMilli,
  type ReferenceHistogram,
  type SliceReference,
} from '@driftloop/algorithms';
import type { ModelSpec } from '@driftloop/contracts';
import type { Embargo } from './embargo.js';
import type { TrainingTable } from './table.js';

const mostSlices = 20;

/** Bins of some rows of one feature: `bins[i]` is that of `rows[i]`. */
interface Binned {
  readonly histogram: ReferenceHistogram;
  readonly rows: Int32Array;
  readonly bins: Uint16Array;
}

/** The rows from `from` on are those that the histograms hold; `probabilities` are the twin's on the embargoed rows. */
export function diagnosisReference(
  table: TrainingTable,
  embargo: Embargo,
  histograms: Readonly<Record<string, ReferenceHistogram>>,
  probabilities: Float64Array,
  from: number,
  spec: ModelSpec,
): DiagnosisReference {
  const newest = Int32Array.from({ length: table.rows - from }, (_, i) => from + i);
  const features = table.columns.map(
    (column) => [column.name, binned(column, histograms[column.name], newest)] as const,
  );
  const prediction = binnedPredictions(histograms.prediction, embargo.rows, probabilities);
  const all = [...features, ['prediction', prediction] as const];
  const spreads = Object.fromEntries(
    all.map(([name, one]) => [name, daySpread(one.histogram.kind, daily(table, one))]),
  );
  const losses = table.columns.map((column) => {
    const { bins } = binned(column, histograms[column.name], embargo.rows);
    return [column.name, lossesOf(table, embargo.rows, bins, histograms[column.name], probabilities)] as const;
  });
  const own = lossesOf(table, embargo.rows, prediction.bins, histograms.prediction, probabilities);
  return {
    spreads,
    slices: slicesOf(table, all, newest, spec),
    losses: Object.fromEntries([...losses, ['prediction', own]]),
  };
}

function binned(column: Column, histogram: ReferenceHistogram, rows: Int32Array): Binned {
  if (column.kind === 'numeric')
    return { histogram, rows, bins: Uint16Array.from(rows, (row) => binOf(histogram, column.values[row])) };
  const ofCode = column.categories.map((text) => binOf(histogram, text));
  const missing = binsOf(histogram) - 1;
  return { histogram, rows, bins: Uint16Array.from(rows, (row) => ofCode[column.codes[row]] ?? missing) };
}

const binnedPredictions = (histogram: ReferenceHistogram, rows: Int32Array, p: Float64Array): Binned => ({
  histogram,
  rows,
  bins: Uint16Array.from(p, (probability) => binOf(histogram, probability)),
});

/** Counts by day, oldest first, of those rows that satisfy a condition. */
function daily(
  { cohorts }: TrainingTable,
  { histogram, rows, bins }: Binned,
  holds: (row: number) => boolean = () => true,
): number[][] {
  const days = new Map<number, number[]>();
  rows.forEach((row, i) => {
    if (!holds(row)) return;
    const counts = days.get(cohorts[row]) ?? new Array(binsOf(histogram)).fill(0);
    days.set(cohorts[row], counts);
    counts[bins[i]]++;
  });
  return [...days].sort(([a], [b]) => a - b).map(([, counts]) => counts);
}

function lossesOf(
  { labels }: TrainingTable,
  rows: Int32Array,
  bins: Uint16Array,
  histogram: ReferenceHistogram,
  probabilities: Float64Array,
): BinLosses {
  const sums = { rows: new Array(binsOf(histogram)).fill(0), loss: new Array(binsOf(histogram)).fill(0) };
  rows.forEach((row, i) => {
    sums.rows[bins[i]]++;
    sums.loss[bins[i]] += lossMilli(logLossNano(probabilities[i], labels[row] as 0 | 1));
  });
  return sums;
}

/** I1 */
function slicesOf(
  table: TrainingTable,
  features: readonly (readonly [string, Binned])[],
  newest: Int32Array,
  spec: ModelSpec,
): DiagnosisReference['slices'] {
  const columns = spec.spec.monitoring.slices.flatMap((name) => table.columns.filter((column) => column.name === name));
  const found = columns.flatMap((column) => valuesOf(column, newest).map((value) => ({ column, ...value })));
  const large = found
    .filter(({ rows }) => rows >= spec.spec.gate.sliceMinRows)
    .sort((a, b) => b.rows - a.rows || (a.slice < b.slice ? -1 : 1))
    .slice(0, mostSlices);
  return Object.fromEntries(
    large.map(({ slice, column, value }) => {
      const others = features.filter(([name]) => name !== column.name);
      return [slice, Object.fromEntries(others.map(([name, one]) => [name, ofSlice(table, one, column, value)]))];
    }),
  );
}

function ofSlice(table: TrainingTable, one: Binned, column: Column, value: number): SliceReference {
  const days = daily(table, one, (row) => cell(column, row) === value);
  const counts = new Array(binsOf(one.histogram)).fill(0);
  for (const day of days)
    day.forEach((count, bin) => {
      counts[bin] += count;
    });
  return { counts, spread: daySpread(one.histogram.kind, days) };
}

function valuesOf(column: Column, rows: Int32Array): { slice: string; value: number; rows: number }[] {
  const counts = new Map<number, number>();
  for (const row of rows) counts.set(cell(column, row), (counts.get(cell(column, row)) ?? 0) + 1);
  return [...counts]
    .filter(([value]) => (column.kind === 'numeric' ? !Number.isNaN(value) : value >= 0))
    .map(([value, count]) => ({
      slice: `${column.name}=${column.kind === 'categorical' ? column.categories[value] : value}`,
      value,
      rows: count,
    }));
}

/** Numbers as monitoring names slices by them: whatever precision they are sent in. */
const cell = (column: Column, row: number): number =>
  column.kind === 'numeric' ? float32Decimal(column.values[row]) : column.codes[row];
