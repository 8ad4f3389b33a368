/**
 * False-discovery rate of many tests at once: q-values by step-up. Rejecting every q at or below a level keeps the expected share of false ones among the
 * rejected at or below that level.
 *
 * Benjamini–Hochberg (JRSS B 1995) holds for independent p-values and for positively dependent ones; Benjamini–Yekutieli (Annals of Statistics 2001) for
 * any dependence, at the price of a factor 1 + ½ + … + 1/K.
 *
 * @example
 * benjaminiHochberg([.001, .02, .5]); // [.003, .03, .5]
 */
import { demand } from '../bad-input.js';

/** q-values in the order of the p-values, for positively dependent tests. @throws BadInput for what is no probability. */
export const benjaminiHochberg = (pValues: readonly number[]): number[] => stepUp('benjaminiHochberg', pValues, 1);

/** q-values in the order of the p-values, for tests that depend on each other in any way. @throws BadInput for what is no probability. */
export const benjaminiYekutieli = (pValues: readonly number[]): number[] =>
  stepUp('benjaminiYekutieli', pValues, harmonic(pValues.length));

function stepUp(where: string, pValues: readonly number[], factor: number): number[] {
  const wrong = pValues.find((p) => !(p >= 0 && p <= 1));
  demand(wrong === undefined, where, () => `p-value ${wrong}`, 'pass probabilities');
  const K = pValues.length;
  const order = pValues.map((p, i) => ({ p, i })).sort((a, b) => b.p - a.p || b.i - a.i);
  const q = new Array<number>(K);
  let least = 1;
  order.forEach(({ p, i }, fromLast) => {
    least = Math.min(least, (factor * K * p) / (K - fromLast));
    q[i] = least;
  });
  return q;
}

function harmonic(K: number): number {
  let sum = 0;
  for (let k = K; k >= 1; k--) sum += 1 / k;
  return sum;
}
