/**
 * What the released model's world looked like: histograms of the newest rows that it learned from, and the twin's
 * figures on the embargoed days. Monitoring measures drift and decay against it.
 */
import { type Column, categoricalReference, numericReference, type ReferenceHistogram } from '@driftloop/algorithms';
import { canonicalJson, type ModelSpec, type Reference } from '@driftloop/contracts';
import { diagnosisReference } from './diagnosis-reference.js';
import type { Embargo } from './embargo.js';
import type { TrainingTable } from './table.js';

/** The newest rows whose features the histograms hold. */
const HISTOGRAM_ROWS = 10_000;

/** Histogram of each feature, and of the twin's probabilities on rows that it has not seen as "prediction". */
export function referenceHistograms(
  table: TrainingTable,
  probabilities: Float64Array,
): Record<string, ReferenceHistogram> {
  const from = firstRow(table);
  const ofFeatures = table.columns.map((column) => [column.name, histogram(column, from)]);
  return { ...Object.fromEntries(ofFeatures), prediction: numericReference(probabilities) };
}

const firstRow = (table: TrainingTable): number => Math.max(0, table.rows - HISTOGRAM_ROWS);

function histogram(column: Column, from: number): ReferenceHistogram {
  if (column.kind === 'numeric') return numericReference(column.values.subarray(from));
  const texts = Array.from(column.codes.subarray(from), (code) => (code < 0 ? null : column.categories[code]));
  return categoricalReference(texts);
}

/** The reference for `model.trained`. */
export function referenceOf(
  table: TrainingTable,
  embargo: Embargo,
  probabilities: Float64Array,
  figures: { logLoss: number; brier: number; auc: number; positiveRate: number },
  spec: ModelSpec,
): Reference {
  const histograms = referenceHistograms(table, probabilities);
  const diagnosis = diagnosisReference(table, embargo, histograms, probabilities, firstRow(table), spec);
  const [histogramsJson, diagnosisJson] = [canonicalJson(histograms), canonicalJson(diagnosis)];
  return { histogramsJson, diagnosisJson, ...figures, rows: embargo.rows.length };
}
