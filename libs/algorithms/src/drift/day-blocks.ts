/**
 * Whether a histogram has moved, with days as the unit: rows of a day share weather and congestion, so that chance is reckoned from how days differ from
 * each other, not from the number of rows. This is the test of Kolmogorov and Smirnov by cluster sampling: for each cut k of the bins the share below it,
 * m = ΣC/N over the window's B days with C_d of n_d rows, e_d = C_d − m·n_d (the ratio estimator: Cochran, Sampling Techniques, 1977), and the same of the
 * reference's own H days. If nothing moved, days differ alike in both, so that s² = Σ e_d² / (B + H − 2) over all of them is a day's variance,
 * t = (m − m₀) / √(s²·B/N² + s²·H/N₀²) has B + H − 2 degrees of freedom, and p = K · min over the K cuts (Bonferroni). Pooled variances keep the size where
 * a window of few days missed what happens on few days (storms), and give many degrees of freedom to a short window. Categories are compared one by one in
 * place of cuts. Missing values are the last bin, and so beyond every cut.
 *
 * I1  Days on end are alike (weather lasts): with ρ the correlation of a day with the one before it in the reference, variances are those of independent
 *     days times (1 + ρ)/(1 − ρ), and so many fewer days count (the first-order plug-in of Andrews, Econometrica 1991). A mean over `memory` days is known
 *     to be worth at most one day in so many, whatever ρ seems to be: it may stay within one bin for weeks and then leave it for good.
 * I2  The window's own Σ e_d² is taken from its steps, ½ Σ (e_d − e_{d−1})² / (1 − ρ), where that is less (von Neumann, Annals of Mathematical Statistics
 *     1941): a move in the midst of the window does not hide itself behind the variance that it makes.
 * I3  A variance is never taken for less than that of independent rows: days that happen to agree prove nothing.
 * I4  Counts are integers and days are walked oldest first: the order of rows cannot change a digit.
 *
 * @example
 * const spread = daySpread(reference.kind, referenceDays);   // kept as JSON beside the reference
 * sharesMoved(reference, lastTwoWeeks, spread);              // { distance: .11, p: .004, days: 14, … }
 */
import { demand } from '../bad-input.js';
import { studentTail } from '../comparison/student-t.js';
import { binsOf, type ReferenceHistogram } from './psi.js';

/** How the days of a sample differ, for every cut or category; sums rounded to thousandths. Plain JSON. */
export interface DaySpread {
  readonly days: number;
  /** Σ e_d² */
  readonly squares: readonly number[];
  /** Σ e_d e_{d−1}: how a day resembles the one before it. */
  readonly lagged: readonly number[];
}

export interface SharesMoved {
  /** Largest difference of two shares: below one cut (numbers: KS), of one category (text). */
  readonly distance: number;
  /** Of no movement; 1 with fewer than two days: unknown. */
  readonly p: number;
  /** Cut or category at which p is smallest. */
  readonly at: number;
  readonly days: number;
  readonly rows: number;
}

/** The spread of daily counts, oldest day first. @throws BadInput when days differ in layout. */
export function daySpread(kind: ReferenceHistogram['kind'], daily: readonly (readonly number[])[]): DaySpread {
  const days = daysOf(kind, daily);
  const squares: number[] = [];
  const lagged: number[] = [];
  for (let k = 0; k < days.cuts; k++) {
    const e = deviations(days, k);
    squares.push(Math.round(1000 * e.squares) / 1000);
    lagged.push(Math.round(1000 * e.lagged) / 1000);
  }
  return { days: days.rows.length, squares, lagged };
}

/**
 * Whether the days' counts, oldest first, come from where the reference came from. @throws BadInput when layouts differ.
 * @param options.memory days that a value looks back over, default 1.
 */
export function sharesMoved(
  reference: ReferenceHistogram,
  daily: readonly (readonly number[])[],
  spread?: DaySpread,
  options: { memory?: number } = {},
): SharesMoved {
  const { memory = 1 } = options;
  demand(memory >= 1, 'sharesMoved.memory', () => String(memory), 'pass a number of days, at least 1');
  const bins = binsOf(reference);
  const fit = daily.every((counts) => counts.length === bins);
  demand(fit, 'sharesMoved', () => `days that are not of ${bins} bins`, 'count into the same reference');
  const now = daysOf(reference.kind, daily);
  const before = daysOf(reference.kind, [reference.counts]);
  const [rows, B] = [now.total, now.rows.length];
  if (rows === 0 || before.total === 0) return { distance: 0, p: 1, at: 0, days: B, rows };
  const known = spread && spread.days >= 2 ? spread : undefined;
  let [distance, at, cuts] = [0, 0, 0];
  let least: Deviation = { t: 0, df: 1, p: 1 };
  for (let k = 0; k < now.cuts; k++) {
    // a cut that all rows, before and now, are on one side of tells nothing
    const below = now.sums[k] + before.sums[k];
    if (below === 0 || below === rows + before.total) continue;
    cuts++;
    distance = Math.max(distance, Math.abs(now.sums[k] / rows - before.sums[k] / before.total));
    const found = B < 2 ? undefined : deviationAt(k, now, before, known, memory, least);
    if (found) [least, at] = [found, k];
  }
  return { distance, p: Math.min(1, least.p * Math.max(1, cuts)), at, days: B, rows };
}

interface Deviation {
  readonly t: number;
  readonly df: number;
  readonly p: number;
}

/** The deviation at a cut, where it is less likely than the one that is known. */
function deviationAt(
  k: number,
  now: Days,
  before: Days,
  spread: DaySpread | undefined,
  memory: number,
  known: Deviation,
): Deviation | undefined {
  const [N, N0, B, H] = [now.total, before.total, now.rows.length, spread?.days ?? 0];
  const own = deviations(now, k);
  const free = spread ? B + H - 2 : B - 1;
  const rho = spread ? likeness(spread.lagged[k], spread.squares[k], H) : likeness(own.lagged, own.squares, B);
  const squares = spread ? spread.squares[k] + Math.min(own.squares, own.steps / (1 - rho)) : own.squares;
  const inflation = Math.max(memory, (1 + rho) / (1 - rho));
  // of one day's e_d, and the number of days that the reference is worth
  const ofDay = (squares / free) * inflation;
  const worth = H || (B * N0) / N;
  const share = (before.sums[k] + 0.5) / (N0 + 1);
  const variance = noLess((ofDay * B) / N ** 2, share, N) + noLess((ofDay * worth) / N0 ** 2, share, N0);
  const t = Math.abs(now.sums[k] / N - before.sums[k] / N0) / Math.sqrt(variance);
  const df = Math.max(0.5, free / inflation);
  // below 1 no number of cuts makes it small
  if (t < 1 || (t <= known.t && df <= known.df)) return undefined;
  const p = Math.min(1, 2 * studentTail(t, df));
  return p < known.p ? { t, df, p } : undefined;
}

/** I1: the correlation of a day with the one before it, its bias for few days put right (Kendall, Biometrika 1954); never below 0. */
function likeness(lagged: number, squares: number, n: number): number {
  if (squares === 0) return 0;
  const r = lagged / squares;
  return Math.min(0.95, Math.max(0, r + (1 + 3 * r) / n));
}

/** I3; the share is smoothed by half a row, so that it is neither 0 nor 1. */
const noLess = (variance: number, share: number, rows: number): number =>
  Math.max(variance, (share * (1 - share)) / rows);

/** Days that have rows, oldest first: of each the rows below every cut, or of every category. */
interface Days {
  readonly cuts: number;
  readonly rows: readonly number[];
  readonly total: number;
  /** Day by day, `cuts` each. */
  readonly below: Float64Array;
  readonly sums: Float64Array;
}

function daysOf(kind: ReferenceHistogram['kind'], daily: readonly (readonly number[])[]): Days {
  const bins = daily[0]?.length ?? 0;
  const fit = daily.every((counts) => counts.length === bins);
  demand(fit, 'day counts', () => `days of other than ${bins} bins`, 'count into one reference');
  const cuts = kind === 'numeric' ? Math.max(0, bins - 1) : bins;
  const below = new Float64Array(daily.length * cuts);
  const sums = new Float64Array(cuts);
  const rows: number[] = [];
  let total = 0;
  for (const counts of daily) {
    const offset = rows.length * cuts;
    let running = 0;
    for (let k = 0; k < bins; k++) {
      running += counts[k];
      if (k < cuts) below[offset + k] = kind === 'numeric' ? running : counts[k];
    }
    if (running === 0) continue;
    for (let k = 0; k < cuts; k++) sums[k] += below[offset + k];
    rows.push(running);
    total += running;
  }
  return { cuts, rows, total, below, sums };
}

interface Deviations {
  readonly squares: number;
  readonly lagged: number;
  readonly steps: number;
}

/** Σ e_d², Σ e_d e_{d−1} and ½ Σ (e_d − e_{d−1})² at a cut. */
function deviations({ cuts, rows, total, below, sums }: Days, k: number): Deviations {
  const share = sums[k] / Math.max(1, total);
  let [squares, lagged, steps, last] = [0, 0, 0, 0];
  for (let d = 0; d < rows.length; d++) {
    const e = below[d * cuts + k] - share * rows[d];
    squares += e * e;
    lagged += e * last;
    if (d > 0) steps += (e - last) ** 2 / 2;
    last = e;
  }
  return { squares, lagged, steps };
}
