/**
 * Champion against twin on the embargoed rows: sums a day, in integers, for the whole and for slices; and each feature
 * alone, since one that ranks the label by itself is a leak.
 */
import { auc, type Column, float32Decimal, logLossNano, pairedLoss } from '@driftloop/algorithms';
import type { DayScore, FeatureScore, ModelSpec, SliceScore } from '@driftloop/contracts';
import type { Embargo } from './embargo.js';
import type { TrainingTable } from './table.js';

/** Newest rows that a feature alone is tested on. */
const LEAK_ROWS = 20_000;

/** Probabilities of the embargoed rows, in their order. */
export interface Scores {
  readonly champion: Float64Array;
  readonly twin: Float64Array;
}

/** Day sums over those embargoed rows (by position) that satisfy a condition, days ascending. */
export function dayScores(
  table: TrainingTable,
  { rows }: Embargo,
  { champion, twin }: Scores,
  holds: (row: number) => boolean = () => true,
): DayScore[] {
  const sums = new Map<number, DayScore>();
  rows.forEach((row, i) => {
    if (!holds(row)) return;
    const y = table.labels[row] as 0 | 1;
    const day = table.cohorts[row];
    let sum = sums.get(day);
    if (!sum) {
      sum = { day: new Date(day), rows: 0, lossDifferenceNano: 0, championLossNano: 0, challengerLossNano: 0 };
      sums.set(day, sum);
    }
    sum.rows++;
    sum.lossDifferenceNano += pairedLoss(champion[i], twin[i], y);
    sum.championLossNano += logLossNano(champion[i], y);
    sum.challengerLossNano += logLossNano(twin[i], y);
  });
  return [...sums].sort(([a], [b]) => a - b).map(([, sum]) => sum);
}

/** Day sums of each value, with enough rows, of each column that the gate slices by; values in order. */
export function sliceScores(table: TrainingTable, embargo: Embargo, scores: Scores, spec: ModelSpec): SliceScore[] {
  const { slices, sliceMinRows } = spec.spec.gate;
  return slices.flatMap((name) => {
    const column = table.columns.find((c) => c.name === name);
    if (!column) return [];
    const counts = new Map<number, number>();
    for (const row of embargo.rows) counts.set(cell(column, row), (counts.get(cell(column, row)) ?? 0) + 1);
    return [...counts]
      .filter(([value, rows]) => rows >= sliceMinRows && !isMissing(column, value))
      .map(([value]) => ({
        slice: `${name}=${column.kind === 'categorical' ? column.categories[value] : value}`,
        days: dayScores(table, embargo, scores, (row) => cell(column, row) === value),
      }))
      .sort((a, b) => (a.slice < b.slice ? -1 : 1));
  });
}

const cell = (column: Column, row: number): number =>
  column.kind === 'numeric' ? float32Decimal(column.values[row]) : column.codes[row];
const isMissing = (column: Column, value: number): boolean =>
  column.kind === 'numeric' ? Number.isNaN(value) : value < 0;

/**
 * How well each feature alone ranks the labels, with its share of the model's gain, in column order: over the newest rows of
 * the whole set, since a few hundred rows of one season rank by chance, or by the hour, as well as a leak does.
 */
export function featureScores(table: TrainingTable, gainShare: ReadonlyMap<string, number>): FeatureScore[] {
  const from = Math.max(0, table.rows - LEAK_ROWS);
  const labels = table.labels.subarray(from);
  return table.columns.map((column) => {
    const ranks = column.kind === 'numeric' ? levels(column.values) : rates(table, column);
    return { feature: column.name, auc: auc(ranks.subarray(from), labels), gainShare: gainShare.get(column.name) ?? 0 };
  });
}

/** Values with missing as the lowest level. */
const levels = (values: ArrayLike<number>): Float64Array =>
  Float64Array.from(values, (value) => (Number.isNaN(value) ? -Number.MAX_VALUE : value));

/** Each row's category as its rate of label 1 among the rows before it, drawn to the whole's by ten rows. */
function rates({ labels }: TrainingTable, column: Extract<Column, { kind: 'categorical' }>): Float64Array {
  const seen = new Float64Array(column.categories.length + 1);
  const positive = new Float64Array(column.categories.length + 1);
  let total = 0;
  return Float64Array.from(labels, (label, row) => {
    const level = column.codes[row] + 1;
    const whole = row ? total / row : 0.5;
    const rate = (positive[level] + 10 * whole) / (seen[level] + 10);
    seen[level]++;
    positive[level] += label;
    total += label;
    return rate;
  });
}
