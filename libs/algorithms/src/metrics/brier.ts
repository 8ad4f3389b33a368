/**
 * Brier score, the mean squared difference between probability and outcome (Brier, Monthly Weather Review 1950, for two classes).
 */
import { checkProbabilities, type Labels, type Scores } from './pairs.js';

/** In [0, 1], lower is better. @throws BadInput */
export function brier(probabilities: Scores, labels: Labels): number {
  checkProbabilities('brier', probabilities, labels);
  let total = 0;
  for (let i = 0; i < labels.length; i++) total += (probabilities[i] - labels[i]) ** 2;
  return total / labels.length;
}
