/**
 * The paired block comparison of two models on the same rows, clustered by day: rows of a day share weather and congestion, so the day is
 * the unit that varies (a row-level standard error is about three times too small).
 *
 * δ = loss(champion) − loss(challenger) per row, positive where the challenger is better. With day sums S_d over n_d rows, N = Σ n_d and
 * H days:  m = ΣS/N,  e_d = S_d − m·n_d,  se = √(Σ e_d² · H/(H−1)) / N,  t = m/se with H − 1 degrees of freedom.
 * This is the ratio estimator of cluster sampling (Cochran, Sampling Techniques, 1977, §9A) with the small-sample factor of cluster-robust errors
 * (Cameron & Miller, Journal of Human Resources 2015).
 *
 * @example
 * const days = [{ day: '2013-02-01', rows: 300, sum: pairedLoss(0.3, 0.2, 0) }, …];
 * const c = compareBlocks(days);
 * nonInferiority(c); // { test: 'non-inferior', holds: c.t > −t.90, … }
 */
import type { DaySum } from '../day-sums.js';
import { mergeDays, NANO, totals, windowOf } from '../day-sums.js';
import { EVIDENCE_LIMIT, type Evidence, finite } from '../evidence.js';
import { studentQuantile } from './student-t.js';

/** Probabilities are clipped to [CLIP, 1 − CLIP] before the log, so that no single row decides. */
export const CLIP = 0.01;

/** Log loss of one row in whole nano-units, p clipped to [.01, .99]. NaN in, NaN out: count such rows and tell the gate. */
export function logLossNano(p: number, y: 0 | 1): number {
  const q = Math.min(1 - CLIP, Math.max(CLIP, p));
  return Math.round(-Math.log(y === 1 ? q : 1 - q) * NANO);
}

/** δ of one row in whole nano-units: positive where the challenger is better; exactly antisymmetric, exactly 0 for equal predictions. */
export function pairedLoss(pChampion: number, pChallenger: number, y: 0 | 1): number {
  return logLossNano(pChampion, y) - logLossNano(pChallenger, y);
}

/** The comparison's figures; m and se are in loss units a row. */
export interface BlockComparison {
  readonly m: number;
  readonly se: number;
  /** m/se, made finite: 0 when both are 0, ±EVIDENCE_LIMIT when only se is. */
  readonly t: number;
  readonly days: number;
  readonly rows: number;
  readonly window: string;
}

/** m, se and t of day sums in nano-units. With fewer than two days se is unknown and t is NaN. @throws BadInput for sums that are no integers. */
export function compareBlocks(daySums: readonly DaySum[]): BlockComparison {
  const days = mergeDays('compareBlocks', daySums);
  const { rows, sum, days: H } = totals(days);
  const window = windowOf(days);
  if (H < 2) return { m: rows === 0 ? 0 : sum / rows / NANO, se: Number.NaN, t: Number.NaN, days: H, rows, window };
  // Exactly equal day means must give exactly zero, so e_d is formed from integers where they fit.
  const squares = days.reduce((s, d) => s + residual(d, sum, rows) ** 2, 0);
  const m = sum / rows / NANO;
  const se = Math.sqrt((squares * H) / (H - 1)) / rows / NANO;
  return { m, se, t: ratio(m, se), days: H, rows, window };
}

/** e_d = S_d − (ΣS/N)·n_d, in nano-units. */
function residual(d: DaySum, sum: number, rows: number): number {
  const cross = d.sum * rows - sum * d.rows;
  if (Number.isSafeInteger(d.sum * rows) && Number.isSafeInteger(sum * d.rows)) return cross / rows;
  return Number(BigInt(d.sum) * BigInt(rows) - BigInt(sum) * BigInt(d.rows)) / rows;
}

function ratio(m: number, se: number): number {
  if (se > 0) return finite(m / se);
  return m === 0 ? 0 : Math.sign(m) * EVIDENCE_LIMIT;
}

function claim(test: string, c: BlockComparison, threshold: number, holds: boolean, subject: string): Evidence {
  const note = `mean δ ${c.m.toPrecision(4)}, se ${Number.isNaN(c.se) ? 'unknown' : c.se.toPrecision(3)}, ${c.window}`;
  return {
    test,
    subject,
    statistic: finite(c.t),
    threshold: finite(threshold),
    holds,
    rows: c.rows,
    days: c.days,
    note,
  };
}

/** Claim 'non-inferior': the challenger is not significantly worse, t > −t(1 − level). Never holds with fewer than two days. */
export function nonInferiority(c: BlockComparison, level = 0.1, subject = 'challenger'): Evidence {
  const threshold = c.days < 2 ? 0 : -studentQuantile(1 - level, c.days - 1);
  return claim('non-inferior', c, threshold, c.days >= 2 && c.t > threshold, subject);
}

/** Claim 'superior': the challenger is significantly better, t > t(1 − level). Never holds with fewer than two days. */
export function superiority(c: BlockComparison, level = 0.05, subject = 'challenger'): Evidence {
  const threshold = c.days < 2 ? EVIDENCE_LIMIT : studentQuantile(1 - level, c.days - 1);
  return claim('superior', c, threshold, c.days >= 2 && c.t > threshold, subject);
}
