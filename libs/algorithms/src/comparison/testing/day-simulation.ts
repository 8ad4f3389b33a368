/**
 * Simulated days for measuring sizes and powers: rows of a day share a shock, as flights share weather. A day of n rows has
 * Σδ = n·(mean + shock) + √n·noise·z, with shocks normal, or heavy-tailed as on the flights (a few days carry most of the difference).
 *
 * @example
 * simulateDays(new Random(1), { days: 28, mean: -0.01, shock: 0.015 });
 */
import { type DaySum, NANO } from '../../day-sums.js';
import type { Random } from '../../random.js';

export interface SimulatedDays {
  readonly days: number;
  /** Mean δ a row. */
  readonly mean: number;
  /** Standard deviation of a day's common shock to δ. */
  readonly shock: number;
  /** Standard deviation of δ between rows of a day. Default .1. */
  readonly noise?: number;
  /** Rows a day, ± a tenth. Default 300. */
  readonly rows?: number;
  /** Shocks from t with 4 degrees of freedom instead of the normal. */
  readonly heavy?: boolean;
}

export function simulateDays(random: Random, options: SimulatedDays): DaySum[] {
  const { days, mean, shock, noise = 0.1, rows: typical = 300, heavy = false } = options;
  return Array.from({ length: days }, (_, d) => {
    const rows = Math.round(typical * random.uniform(0.9, 1.1));
    const common = mean + shock * (heavy ? heavyTailed(random) : random.normal());
    return {
      day: String(d).padStart(4, '0'),
      rows,
      sum: Math.round(NANO * (rows * common + Math.sqrt(rows) * noise * random.normal())),
    };
  });
}

/** t with 4 degrees of freedom, scaled to unit variance. */
function heavyTailed(random: Random): number {
  let chi = 0;
  for (let i = 0; i < 4; i++) chi += random.normal() ** 2;
  return random.normal() / Math.sqrt(chi / 4) / Math.SQRT2;
}
