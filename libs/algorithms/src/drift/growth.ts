/**
 * Growth: fresh matured labels over the labels that the champion was trained on. Early in a model's life new data teach most; the learning curve's
 * gain goes with the logarithm of the sample (Hestness et al., "Deep learning scaling is predictable, empirically", 2017), so equal ratios are worth
 * about as much. On the flights it is the best single predictor of a retraining's benefit.
 *
 * @example
 * growth({ freshLabels: 6000, trainedOn: 12000 }); // 0.5
 */
import { demand } from '../bad-input.js';

export interface LabelCounts {
  /** Labels matured since the champion's knowledge cutoff. */
  readonly freshLabels: number;
  /** Labels that the champion was trained on; a model trained on none counts as one. */
  readonly trainedOn: number;
}

/** Fresh labels per label trained on, at least 0. @throws BadInput for negative counts or no numbers. */
export function growth({ freshLabels, trainedOn }: LabelCounts): number {
  const counts = freshLabels >= 0 && trainedOn >= 0 && Number.isFinite(freshLabels) && Number.isFinite(trainedOn);
  demand(counts, 'growth', () => `fresh ${freshLabels}, trained on ${trainedOn}`, 'pass counts of at least 0');
  return freshLabels / Math.max(1, trainedOn);
}
