/**
 * Isotonic calibration: the non-decreasing step function of the score with the least squared error, by pooling adjacent violators
 * (Ayer et al., Annals of Mathematical Statistics 1955; as calibration: Zadrozny & Elkan, KDD 2002). Between the steps it is interpolated
 * linearly, outside it is constant, as in scikit-learn. It needs thousands of rows; Platt scaling is the default.
 */
import { checkPairs, type Labels, type Scores } from '../metrics/pairs.js';

export interface IsotonicCalibrator {
  readonly kind: 'isotonic';
  /** Ascending scores. */
  readonly x: readonly number[];
  /** Probabilities there, non-decreasing. */
  readonly y: readonly number[];
}

interface Block {
  sum: number;
  rows: number;
  readonly first: number;
  last: number;
}

/** Fits the step function. @throws BadInput when there are no rows, a score is NaN or a label not 0 or 1 */
export function fitIsotonic(scores: Scores, labels: Labels): IsotonicCalibrator {
  checkPairs('fitIsotonic', scores, labels);
  const blocks: Block[] = [];
  for (const block of tiedBlocks(scores, labels)) {
    blocks.push(block);
    while (blocks.length > 1 && violates(blocks[blocks.length - 2], blocks[blocks.length - 1])) {
      const upper = blocks.pop() as Block;
      const lower = blocks[blocks.length - 1];
      lower.sum += upper.sum;
      lower.rows += upper.rows;
      lower.last = upper.last;
    }
  }
  const ends = blocks.flatMap(({ sum, rows, first, last }) =>
    (first === last ? [first] : [first, last]).map((x) => ({ x, y: sum / rows })),
  );
  return { kind: 'isotonic', x: ends.map(({ x }) => x), y: ends.map(({ y }) => y) };
}

/** Means compared by integers, so that equal ones pool. */
const violates = (lower: Block, upper: Block): boolean => lower.sum * upper.rows >= upper.sum * lower.rows;

/** One block for each distinct score, ascending. */
function tiedBlocks(scores: Scores, labels: Labels): Block[] {
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort((i, j) => scores[i] - scores[j]);
  const blocks: Block[] = [];
  for (const i of order) {
    const last = blocks[blocks.length - 1];
    if (last !== undefined && last.first === scores[i]) {
      last.sum += labels[i];
      last.rows++;
    } else blocks.push({ sum: labels[i], rows: 1, first: scores[i], last: scores[i] });
  }
  return blocks;
}

/** The value at a score. */
export function isotonicAt({ x, y }: IsotonicCalibrator, score: number): number {
  const last = x.length - 1;
  if (score <= x[0]) return y[0];
  if (score >= x[last]) return y[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= score) low = middle;
    else high = middle;
  }
  return y[low] + ((y[high] - y[low]) * (score - x[low])) / (x[high] - x[low]);
}
