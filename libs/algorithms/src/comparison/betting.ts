/**
 * A test by betting: wealth that multiplies by 1 + λu at each block, u ≥ −1, averaged over a few stakes λ. If the null holds, E[u] ≤ 0 given the
 * past, the wealth E is a non-negative supermartingale from 1, so P(E ever reaches 1/α) ≤ α (Ville, Étude critique de la notion de collectif,
 * 1939): looking every day costs nothing. Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 2024;
 * the average over λ is their method of mixtures, which needs no guess of the effect's size.
 *
 * I1  Wealth is kept as log wealth for each λ: no overflow, no underflow, and the state is finite JSON for ever, since λ < 1 keeps 1 + λu > 0.
 *
 * @example
 * let wealth = openWealth();
 * wealth = bet(wealth, 0.4);
 * eValue(wealth); // 1.208
 */
import { demand } from '../bad-input.js';

export const STAKES = [0.1, 0.25, 0.5, 0.75, 0.95] as const;

/** log wealth for each stake, in the order of STAKES. */
export type LogWealth = readonly number[];

export const openWealth = (): LogWealth => STAKES.map(() => 0);

/** Wealth after one block with payoff u; a payoff below −1 would break I1. @throws BadInput for u < −1 or no number. */
export function bet(wealth: LogWealth, u: number): LogWealth {
  demand(u >= -1 - 1e-12 && u < Number.POSITIVE_INFINITY, 'bet', () => `payoff ${u}`, 'clip payoffs to at least −1');
  const payoff = Math.max(-1, u);
  return wealth.map((log, i) => log + Math.log1p(STAKES[i] * payoff));
}

/** log E: the log of the average wealth. */
export function logEValue(wealth: LogWealth): number {
  const top = Math.max(...wealth);
  return top + Math.log(wealth.reduce((sum, log) => sum + Math.exp(log - top), 0) / wealth.length);
}

/** E itself; +∞ beyond 1.8e308, so compare in logs. */
export const eValue = (wealth: LogWealth): number => Math.exp(logEValue(wealth));
