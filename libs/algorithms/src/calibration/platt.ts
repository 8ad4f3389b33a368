/**
 * Platt scaling: p = 1 / (1 + e^−(a·s + b)) fitted to scores s and labels by penalized maximum likelihood (Platt, "Probabilistic outputs
 * for support vector machines", 1999), by Newton's method with backtracking (Lin, Lin & Weng, Machine Learning 2007). Our scores are
 * log-odds, so a = 1, b = 0 leaves them as they are. As a graph: Mul a, Add b, Sigmoid.
 *
 * I1  Targets are (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2) instead of 1 and 0: the optimum exists and is finite, even with one class or
 *     separable scores.
 * I2  a and b are float32-exact, so a float32 graph computes with the same numbers.
 *
 * @example
 * const calibrator = fitPlatt(outOfFoldLogOdds, labels);
 * const p = calibrate(calibrator, predictRaw(model, questions));
 */
import { BadInput } from '../bad-input.js';
import { checkPairs, type Labels, type Scores } from '../metrics/pairs.js';

export interface PlattCalibrator {
  readonly kind: 'platt';
  readonly a: number;
  readonly b: number;
}

/** The calibrator that changes nothing. */
export const IDENTITY: PlattCalibrator = { kind: 'platt', a: 1, b: 0 };

const STEPS = 100;
/** Added to the Hessian's diagonal, so that constant scores, which leave a undetermined, still give a step. */
const RIDGE = 1e-12;
const GRADIENT_SMALL = 1e-10;

/** Cross-entropy of target t at margin m, in the form that does not overflow. */
const crossEntropy = (m: number, t: number): number => Math.max(m, 0) - t * m + Math.log1p(Math.exp(-Math.abs(m)));

/** Fits a and b. @param scores finite log-odds @throws BadInput when there are no rows, a score is not finite or a label not 0 or 1 */
export function fitPlatt(scores: Scores, labels: Labels): PlattCalibrator {
  checkScores(scores, labels);
  const [low, high] = smoothedTargets(labels);
  const objective = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < labels.length; i++) sum += crossEntropy(a * scores[i] + b, labels[i] === 1 ? high : low);
    return sum / labels.length;
  };
  let a = 0;
  let b = Math.log(mean(labels, low, high) / (1 - mean(labels, low, high)));
  let value = objective(a, b);
  for (let step = 0; step < STEPS; step++) {
    const [ga, gb, haa, hab, hbb] = derivatives(scores, labels, a, b, low, high);
    if (Math.abs(ga) + Math.abs(gb) < GRADIENT_SMALL) break;
    const determinant = haa * hbb - hab * hab;
    const da = -(hbb * ga - hab * gb) / determinant;
    const db = -(haa * gb - hab * ga) / determinant;
    const slope = ga * da + gb * db;
    let size = 1;
    while (size > 1e-10 && !(objective(a + size * da, b + size * db) <= value + 1e-4 * size * slope)) size /= 2;
    if (size <= 1e-10) break;
    a += size * da;
    b += size * db;
    value = objective(a, b);
  }
  return { kind: 'platt', a: Math.fround(a), b: Math.fround(b) };
}

function checkScores(scores: Scores, labels: Labels): void {
  checkPairs('fitPlatt', scores, labels);
  for (let i = 0; i < scores.length; i++)
    if (!Number.isFinite(scores[i]))
      throw new BadInput('fitPlatt', `row ${i} has score ${scores[i]}`, 'pass finite log-odds');
}

function smoothedTargets(labels: Labels): [low: number, high: number] {
  let positives = 0;
  for (const y of labels) positives += y;
  return [1 / (labels.length - positives + 2), (positives + 1) / (positives + 2)];
}

function mean(labels: Labels, low: number, high: number): number {
  let sum = 0;
  for (const y of labels) sum += y === 1 ? high : low;
  return sum / labels.length;
}

/** Gradient and Hessian of the mean cross-entropy. */
function derivatives(
  scores: Scores,
  labels: Labels,
  a: number,
  b: number,
  low: number,
  high: number,
): [number, number, number, number, number] {
  const n = labels.length;
  let [ga, gb, haa, hab, hbb] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const s = scores[i];
    const p = 1 / (1 + Math.exp(-(a * s + b)));
    const g = p - (labels[i] === 1 ? high : low);
    const h = p * (1 - p);
    ga += g * s;
    gb += g;
    haa += h * s * s;
    hab += h * s;
    hbb += h;
  }
  return [ga / n, gb / n, haa / n + RIDGE, hab / n, hbb / n + RIDGE];
}
