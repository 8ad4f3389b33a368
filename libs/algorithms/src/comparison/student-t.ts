/**
 * Student's t distribution: tail, distribution function and quantile, for any positive number of degrees of freedom.
 * "Student", "The probable error of a mean", Biometrika 1908. The tail is ½ I_{ν/(ν+t²)}(ν/2, ½); the quantile is found by Newton steps
 * on the log of the tail, kept inside a bracket.
 *
 * @example
 * studentQuantile(0.9, 7); // 1.4149
 */
import { demand } from '../bad-input.js';
import { logBeta, regularizedBeta } from './incomplete-beta.js';

const checkDegrees = (where: string, df: number): void =>
  demand(
    df > 0 && Number.isFinite(df),
    where,
    () => `${df} degrees of freedom`,
    'pass a positive number: at least two blocks',
  );

/** P(T > t): the upper tail, accurate also where it is tiny. */
export function studentTail(t: number, df: number): number {
  checkDegrees('studentTail', df);
  demand(!Number.isNaN(t), 'studentTail', () => 't is NaN', 'pass a number');
  if (t < 0) return 1 - studentTail(-t, df);
  if (t === Number.POSITIVE_INFINITY) return 0;
  // t² may overflow for absurd t: divide through by it.
  const x = t > 1 ? df / t / t / (1 + df / t / t) : df / (df + t * t);
  const y = t > 1 ? 1 / (1 + df / t / t) : (t * t) / (df + t * t);
  return 0.5 * regularizedBeta(x, df / 2, 0.5, y);
}

/** P(T ≤ t). */
export function studentCdf(t: number, df: number): number {
  return t > 0 ? 1 - studentTail(t, df) : studentTail(-t, df);
}

/** log of the density at t. */
function logDensity(t: number, df: number): number {
  return -0.5 * Math.log(df) - logBeta(df / 2, 0.5) - ((df + 1) / 2) * Math.log1p((t * t) / df);
}

/** The positive t whose upper tail is `tail`, 0 < tail < ½: Newton on log P(T > t) as a function of log t, which is nearly linear in the tail. */
function upperQuantile(tail: number, df: number): number {
  let low = 0;
  let high = 1;
  while (studentTail(high, df) > tail) {
    low = high;
    high *= 2;
  }
  let t = (low + high) / 2;
  for (let i = 0; i < 200; i++) {
    const p = studentTail(t, df);
    if (p > tail) low = t;
    else high = t;
    const slope = -(Math.exp(logDensity(t, df)) * t) / p;
    let next = t * Math.exp((Math.log(tail) - Math.log(p)) / slope);
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - t) <= 2e-16 * t) return next;
    t = next;
  }
  return t;
}

/** The t with P(T ≤ t) = p. @throws BadInput unless 0 < p < 1 and df > 0. */
export function studentQuantile(p: number, df: number): number {
  checkDegrees('studentQuantile', df);
  demand(p > 0 && p < 1, 'studentQuantile', () => `probability ${p}`, 'pass a probability strictly between 0 and 1');
  if (p === 0.5) return 0;
  return p > 0.5 ? upperQuantile(1 - p, df) : -upperQuantile(p, df);
}
