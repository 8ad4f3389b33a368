/**
 * Windowed performance against the reference kept at promotion: has the mean loss of recent closed days risen beyond what day-to-day variation explains?
 * The standard error is clustered by day, as in comparison/paired-blocks.ts; the two windows are disjoint days, so their variances add.
 *
 * @example
 * const reference = meanLoss(daysBeforePromotion);          // kept as JSON beside the champion
 * performanceAgainst(reference, meanLoss(last14Days));      // { increase: .021, se: .009, z: 2.3, … }
 */
import { type DaySum, mergeDays, NANO, totals, windowOf } from '../day-sums.js';
import { finite } from '../evidence.js';

/** Squared error (Brier score) of one row in whole nano-units. For log loss see `logLossNano`. */
export function brierNano(p: number, y: 0 | 1): number {
  return Math.round((p - y) * (p - y) * NANO);
}

/** A mean loss with its day-clustered standard error; plain JSON. */
export interface MeanLoss {
  /** Loss a row; 0 without rows. */
  readonly mean: number;
  /** 0 with fewer than two days: unknown. */
  readonly se: number;
  readonly rows: number;
  readonly days: number;
  readonly window: string;
}

/** Mean and standard error of day sums of a loss in nano-units. @throws BadInput for sums that are no integers. */
export function meanLoss(daySums: readonly DaySum[]): MeanLoss {
  const days = mergeDays('meanLoss', daySums);
  const { rows, sum, days: H } = totals(days);
  if (rows === 0) return { mean: 0, se: 0, rows: 0, days: 0, window: '' };
  const squares = days.reduce((s, d) => s + (d.sum - (sum / rows) * d.rows) ** 2, 0);
  const se = H < 2 ? 0 : Math.sqrt((squares * H) / (H - 1)) / rows / NANO;
  return { mean: sum / rows / NANO, se, rows, days: H, window: windowOf(days) };
}

export interface PerformanceChange {
  /** Mean loss now − reference: positive is worse. */
  readonly increase: number;
  readonly se: number;
  /** increase/se, finite; 0 when either side has fewer than two days. */
  readonly z: number;
  readonly rows: number;
  readonly days: number;
  readonly window: string;
}

/** What is kept at promotion; without `se` the reference counts as exact, and z is the more eager for it. */
export type LossReference = Pick<MeanLoss, 'mean'> & Partial<MeanLoss>;

/** The change of mean loss against a reference; z is 0, unknown, while the window has fewer than two days. */
export function performanceAgainst(reference: LossReference, now: MeanLoss): PerformanceChange {
  const { rows, days, window } = now;
  const increase = rows === 0 ? 0 : now.mean - reference.mean;
  if (days < 2) return { increase, se: 0, z: 0, rows, days, window };
  const se = Math.hypot(reference.se ?? 0, now.se);
  // 0/0 is no change; anything else over nought is beyond every threshold.
  const z = increase === 0 ? 0 : finite(increase / se);
  return { increase, se, z, rows, days, window };
}
