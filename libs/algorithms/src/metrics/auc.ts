/**
 * Area under the ROC curve as the Mann–Whitney statistic: the probability that a random positive scores above a random negative, ties
 * counting one half (Hanley & McNeil, Radiology 1982). Exact: twice the statistic is an integer.
 *
 * @example auc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1]); // 0.875
 */
import { checkPairs, type Labels, type Scores } from './pairs.js';

/** In [0, 1]; NaN when only one class is present. Any monotone score will do. @throws BadInput */
export function auc(scores: Scores, labels: Labels): number {
  checkPairs('auc', scores, labels);
  const positives = ascending(scores, labels, 1);
  const negatives = ascending(scores, labels, 0);
  let twice = 0;
  let below = 0;
  let upTo = 0;
  for (const score of positives) {
    while (below < negatives.length && negatives[below] < score) below++;
    while (upTo < negatives.length && negatives[upTo] <= score) upTo++;
    twice += below + upTo;
  }
  return twice / (2 * positives.length * negatives.length);
}

function ascending(scores: Scores, labels: Labels, label: number): Float64Array {
  const found = new Float64Array(scores.length);
  let n = 0;
  // + 0 makes −0 equal to 0, which sorting would tell apart.
  for (let i = 0; i < scores.length; i++) if (labels[i] === label) found[n++] = scores[i] + 0;
  return found.subarray(0, n).sort();
}
