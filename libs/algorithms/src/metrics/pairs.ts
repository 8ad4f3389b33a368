/**
 * What every metric takes: one score and one label a row, and the check that they can be compared at all.
 */
import { BadInput, demand } from '../bad-input.js';

export type Scores = Float64Array | Float32Array | readonly number[];
/** 0 or 1. */
export type Labels = Uint8Array | Float64Array | readonly number[];

/** @throws BadInput when there are no rows, lengths differ, a label is not 0 or 1, or a score is NaN. */
export function checkPairs(where: string, scores: Scores, labels: Labels): void {
  demand(
    scores.length === labels.length,
    where,
    () => `${scores.length} scores for ${labels.length} labels`,
    'pass one label for each score',
  );
  demand(labels.length > 0, where, () => 'there are no rows', 'pass at least one row');
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== 0 && labels[i] !== 1)
      throw new BadInput(where, `row ${i} has label ${labels[i]}`, 'pass labels 0 or 1');
    if (Number.isNaN(scores[i]))
      throw new BadInput(where, `row ${i} has score NaN`, 'find out why the model answered NaN');
  }
}

/** As checkPairs, and every probability lies in [0, 1]. @throws BadInput */
export function checkProbabilities(where: string, probabilities: Scores, labels: Labels): void {
  checkPairs(where, probabilities, labels);
  for (let i = 0; i < labels.length; i++)
    if (!(probabilities[i] >= 0 && probabilities[i] <= 1))
      throw new BadInput(where, `row ${i} has probability ${probabilities[i]}`, 'pass probabilities, not log-odds');
}
