/** Metrics of probabilities against labels 0 or 1; `evaluate` gives those that a training reports. */
import { auc } from './auc.js';
import { brier } from './brier.js';
import { expectedCalibrationError } from './calibration-error.js';
import { accuracy, confusion, f1, precision, recall } from './confusion.js';
import { logLoss } from './log-loss.js';
import type { Labels, Scores } from './pairs.js';

export { auc } from './auc.js';
export { brier } from './brier.js';
export { expectedCalibrationError, type ReliabilityBin, reliability } from './calibration-error.js';
export { accuracy, type Confusion, confusion, f1, precision, recall } from './confusion.js';
export { logLoss, rowLogLoss } from './log-loss.js';
export type { Labels, Scores } from './pairs.js';

export interface Evaluation {
  readonly rows: number;
  readonly positives: number;
  /** NaN when only one class is present. */
  readonly auc: number;
  readonly logLoss: number;
  readonly brier: number;
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly calibrationError: number;
}

/** All metrics at once. @param clip for the log loss @throws BadInput */
export function evaluate(
  probabilities: Scores,
  labels: Labels,
  { threshold = 0.5, clip = 1e-6, bins = 10 } = {},
): Evaluation {
  const counts = confusion(probabilities, labels, threshold);
  return {
    rows: labels.length,
    positives: counts.truePositives + counts.falseNegatives,
    auc: auc(probabilities, labels),
    logLoss: logLoss(probabilities, labels, clip),
    brier: brier(probabilities, labels),
    accuracy: accuracy(counts),
    precision: precision(counts),
    recall: recall(counts),
    f1: f1(counts),
    calibrationError: expectedCalibrationError(probabilities, labels, bins),
  };
}
