/**
 * Metrics of the decision "probability ≥ threshold", from the four counts (definitions as in scikit-learn's user guide §3.4.4; a ratio
 * whose denominator is zero is 0, scikit-learn's `zero_division=0`).
 */
import { demand } from '../bad-input.js';
import { checkPairs, type Labels, type Scores } from './pairs.js';

export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** Counts at a threshold; a probability equal to it counts as positive. @throws BadInput */
export function confusion(probabilities: Scores, labels: Labels, threshold = 0.5): Confusion {
  checkPairs('confusion', probabilities, labels);
  demand(Number.isFinite(threshold), 'confusion.threshold', () => `it is ${threshold}`, 'pass a finite number');
  const counts = [0, 0, 0, 0];
  for (let i = 0; i < labels.length; i++) counts[2 * labels[i] + (probabilities[i] >= threshold ? 1 : 0)]++;
  return { trueNegatives: counts[0], falsePositives: counts[1], falseNegatives: counts[2], truePositives: counts[3] };
}

const ratio = (a: number, b: number): number => (b === 0 ? 0 : a / b);

/** Share of right decisions. */
export const accuracy = (c: Confusion): number =>
  ratio(c.truePositives + c.trueNegatives, c.truePositives + c.trueNegatives + c.falsePositives + c.falseNegatives);

/** Of those called positive, the share that are. */
export const precision = (c: Confusion): number => ratio(c.truePositives, c.truePositives + c.falsePositives);

/** Of the positives, the share that were called so. */
export const recall = (c: Confusion): number => ratio(c.truePositives, c.truePositives + c.falseNegatives);

/** Harmonic mean of precision and recall (van Rijsbergen, "Information Retrieval", 1979, with β = 1). */
export const f1 = (c: Confusion): number =>
  ratio(2 * c.truePositives, 2 * c.truePositives + c.falsePositives + c.falseNegatives);
