/**
 * Calibration gap with day blocks: do the probabilities still add up to what happens? r = y − p; over a window of closed days
 * gap = Σr/N and z = |Σr| / √(Σ over days of (Σr)²). The day sums estimate their own variance about zero, so z is the cluster-robust score test of
 * "calibrated in the large" (Cox, Biometrika 1958, for the hypothesis; Liang & Zeger, Biometrika 1986, for the variance). z cannot exceed √days.
 *
 * @example
 * const days = [{ day: '2013-02-01', rows: 310, sum: residualMicro(0.2, 1) + residualMicro(0.4, 0) }, …];
 * calibrationGap(lastDays(days, 14)); // { gap: .06, z: 2.4, rows: 4210, days: 14, window: '2013-02-01 to 2013-02-14' }
 */
import { type DaySum, MICRO, mergeDays, totals, windowOf } from '../day-sums.js';

/** y − p of one row in whole micro-units. */
export function residualMicro(p: number, y: 0 | 1): number {
  return Math.round((y - p) * MICRO);
}

export interface CalibrationGap {
  /** Mean of y − p: positive where the model promises too little. */
  readonly gap: number;
  /** |Σr| in standard errors of day sums; 0 without rows. */
  readonly z: number;
  readonly rows: number;
  readonly days: number;
  readonly window: string;
}

/** Gap and z of day sums of y − p in micro-units; zeros without rows. @throws BadInput for sums that are no integers. */
export function calibrationGap(daySums: readonly DaySum[]): CalibrationGap {
  const days = mergeDays('calibrationGap', daySums);
  const { rows, sum, days: count } = totals(days);
  if (rows === 0) return { gap: 0, z: 0, rows: 0, days: 0, window: '' };
  const spread = Math.sqrt(days.reduce((s, d) => s + d.sum * d.sum, 0));
  return {
    gap: sum / rows / MICRO,
    z: spread === 0 ? 0 : Math.abs(sum) / spread,
    rows,
    days: count,
    window: windowOf(days),
  };
}
