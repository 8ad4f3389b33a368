/**
 * Log loss, the mean of −log of the probability given to what happened (Good, "Rational decisions", JRSS B 1952).
 */
import { demand } from '../bad-input.js';
import { checkProbabilities, type Labels, type Scores } from './pairs.js';

/**
 * Mean natural-log loss a row.
 * @param clip probabilities are moved into [clip, 1 − clip] first, so that one certain error does not make it infinite
 * @throws BadInput
 */
export function logLoss(probabilities: Scores, labels: Labels, clip = 1e-15): number {
  checkProbabilities('logLoss', probabilities, labels);
  demand(clip >= 0 && clip < 0.5, 'logLoss.clip', () => `it is ${clip}`, 'pass a number from 0 to below 0.5');
  let total = 0;
  for (let i = 0; i < labels.length; i++) total += rowLogLoss(probabilities[i], labels[i], clip);
  return total / labels.length;
}

/** Log loss of one row: for paired differences. */
export function rowLogLoss(probability: number, label: number, clip = 1e-15): number {
  const p = Math.min(1 - clip, Math.max(clip, probability));
  return -Math.log(label === 1 ? p : 1 - p);
}
