/**
 * Expected calibration error: over equally wide bins of the probability, the mean of |share of positives − mean probability|, weighted
 * by rows (Naeini, Cooper & Hauskrecht, AAAI 2015; Guo et al., ICML 2017). It depends on the number of bins and is biased upwards for
 * few rows: compare only what was computed alike.
 */
import { demand } from '../bad-input.js';
import { checkProbabilities, type Labels, type Scores } from './pairs.js';

export interface ReliabilityBin {
  readonly rows: number;
  readonly meanProbability: number;
  readonly positiveShare: number;
}

/** The bins ((b/bins, (b + 1)/bins], the first with 0) that hold rows, for a reliability diagram. @throws BadInput */
export function reliability(probabilities: Scores, labels: Labels, bins = 10): ReliabilityBin[] {
  checkProbabilities('reliability', probabilities, labels);
  demand(
    Number.isInteger(bins) && bins >= 1,
    'reliability.bins',
    () => `it is ${bins}`,
    'pass a whole number of at least 1',
  );
  const rows = new Float64Array(bins);
  const sums = new Float64Array(bins);
  const positives = new Float64Array(bins);
  for (let i = 0; i < labels.length; i++) {
    const b = Math.max(0, Math.ceil(probabilities[i] * bins) - 1);
    rows[b]++;
    sums[b] += probabilities[i];
    positives[b] += labels[i];
  }
  return Array.from(rows, (n, b) => ({
    rows: n,
    meanProbability: sums[b] / n,
    positiveShare: positives[b] / n,
  })).filter((b) => b.rows > 0);
}

/** In [0, 1], lower is better. @throws BadInput */
export function expectedCalibrationError(probabilities: Scores, labels: Labels, bins = 10): number {
  let total = 0;
  for (const bin of reliability(probabilities, labels, bins))
    total += bin.rows * Math.abs(bin.positiveShare - bin.meanProbability);
  return total / labels.length;
}
