/**
 * The regularized incomplete beta function I_x(a, b), from which the tails of Student's t and of the binomial follow.
 * Continued fraction of DLMF §8.17(v), evaluated by Lentz's method (Thompson & Barnett 1986); log Γ by Stirling's series (DLMF §5.11)
 * above 10 and by recurrence below.
 *
 * @example
 * regularizedBeta(0.5, 2, 3); // 0.6875
 */
import { demand } from '../bad-input.js';

const HALF_LOG_TWO_PI = 0.9189385332046727;

/** What Stirling's formula leaves out: log Γ(x) − ((x − ½) log x − x + ½ log 2π), for x ≥ 10. */
function stirlingRest(x: number): number {
  const y = 1 / (x * x);
  const series =
    1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * (691 / 360360 - y / 156)))));
  return series / x;
}

/** log Γ(x) for x > 0. */
export function logGamma(x: number): number {
  if (x >= 10) return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + stirlingRest(x);
  let product = 1;
  let z = x;
  for (; z < 10; z++) product *= z;
  return logGamma(z) - Math.log(product);
}

/** log B(a, b); for large arguments the Stirling parts are cancelled on paper, not in floating point. */
export function logBeta(a: number, b: number): number {
  const p = Math.min(a, b);
  const q = Math.max(a, b);
  const share = Math.log1p(-p / (p + q)); // log(q/(p + q))
  if (p >= 10) {
    const rest = stirlingRest(p) + stirlingRest(q) - stirlingRest(p + q);
    return rest + HALF_LOG_TWO_PI - 0.5 * Math.log(q) + (p - 0.5) * Math.log(p / (p + q)) + q * share;
  }
  if (q >= 10) return logGamma(p) + stirlingRest(q) - stirlingRest(p + q) + p - p * Math.log(p + q) + (q - 0.5) * share;
  return logGamma(p) + logGamma(q) - logGamma(p + q);
}

/** The continued fraction of DLMF 8.17.22; converges fast for x < (a + 1)/(a + b + 2). */
function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1) || tiny);
  let h = d;
  for (let m = 1; m <= 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d || tiny);
    c = 1 + even / c || tiny;
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d || tiny);
    c = 1 + odd / c || tiny;
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return h;
}

/**
 * I_x(a, b) for 0 ≤ x ≤ 1 and a, b > 0; relative error about 1e-13 for moderate a and b.
 * @param y 1 − x, where the caller knows it more exactly than the subtraction would.
 */
export function regularizedBeta(x: number, a: number, b: number, y = 1 - x): number {
  const inside = x >= 0 && x <= 1 && a > 0 && b > 0;
  demand(inside, 'regularizedBeta', () => `x ${x}, a ${a}, b ${b}`, 'pass 0 ≤ x ≤ 1 and positive a, b');
  if (x === 0 || y === 0) return x === 0 ? 0 : 1;
  const front = a * Math.log(x) + b * Math.log(y) - logBeta(a, b);
  if (x < (a + 1) / (a + b + 2)) return (Math.exp(front) * fraction(x, a, b)) / a;
  return 1 - (Math.exp(front) * fraction(y, b, a)) / b;
}

/** P(Binomial(n, p) ≥ k): the exact upper tail. */
export function binomialTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  return k > n ? 0 : regularizedBeta(p, k, n - k + 1);
}
