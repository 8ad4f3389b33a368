/**
 * Whether a histogram has moved, with days as the unit: rows of a day share weather and congestion, so that chance is reckoned from how days differ from
 * each other, not from the number of rows. This is the test of Kolmogorov and Smirnov by cluster sampling: for each cut k of the bins the share below it,
 * m = ΣC/N over the window's B days with C_d of n_d rows, e_d = C_d − m·n_d (the ratio estimator: Cochran, Sampling Techniques, 1977), and the same of the
 * reference's own H days. If nothing moved, days differ alike in both, so that s² = Σ e_d² / (B + H − 2) over all of them is a day's variance,
 * t = (m − m₀) / √(s²·B/N² + s²·H/N₀²) has B + H − 2 degrees of freedom, and p = K · min over the K cuts (Bonferroni). Pooled variances keep the size where
 * a window of few days missed what happens on few days (storms), and give many degrees of freedom to a short window. Categories are compared one by one in
 * place of cuts. Missing values are the last bin, and so beyond every cut.
 *
 * I1  Days on end are alike (weather lasts, an average over a week is hardly news on the next day): with ρ the correlation of a day with the one before,
 *     pooled over window and reference, variances are those of independent days times (1 + ρ)/(1 − ρ), and so many fewer days count (the first-order
 *     plug-in of Andrews, Econometrica 1991). A mean over `memory` days is known to be worth at most one day in so many, whatever ρ seems to be: it may
 *     stay within one bin for weeks and then leave it for good.
 * I2  A variance is never taken for less than that of independent rows: days that happen to agree prove nothing.
 * I3  Counts are integers and days are walked oldest first: the order of rows cannot change a digit.
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
  const total = sumOf(days);
  const shares = total.below.map((count) => count / Math.max(1, total.rows));
  const thousandths = (x: number): number => Math.round(1000 * x) / 1000;
  return {
    days: days.length,
    squares: shares.map((share, k) => thousandths(laggedOf(days, k, share, 0))),
    lagged: shares.map((share, k) => thousandths(laggedOf(days, k, share, 1))),
  };
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
  const days = daysOf(reference.kind, daily);
  const now = sumOf(days);
  const [before] = daysOf(reference.kind, [reference.counts]);
  const [rows, B] = [now.rows, days.length];
  if (rows === 0 || !before || before.rows === 0) return { distance: 0, p: 1, at: 0, days: B, rows };
  const known = spread && spread.days >= 2 ? spread : undefined;
  let [distance, least, at, cuts] = [0, 1, 0, 0];
  for (let k = 0; k < now.below.length; k++) {
    if (isSame(now, k, before)) continue;
    cuts++;
    const [m, m0] = [now.below[k] / rows, before.below[k] / before.rows];
    distance = Math.max(distance, Math.abs(m - m0));
    const p = B < 2 ? 1 : cutP(k, days, now, before, known, memory);
    if (p < least) [least, at] = [p, k];
  }
  return { distance, p: Math.min(1, least * Math.max(1, cuts)), at, days: B, rows };
}

/** A cut that all rows, before and now, are on one side of tells nothing. */
const isSame = (now: Day, k: number, before: Day): boolean =>
  now.below[k] + before.below[k] === 0 || now.below[k] + before.below[k] === now.rows + before.rows;

function cutP(
  k: number,
  days: readonly Day[],
  now: Day,
  before: Day,
  spread: DaySpread | undefined,
  memory: number,
): number {
  const [m, m0] = [now.below[k] / now.rows, before.below[k] / before.rows];
  const [B, H] = [days.length, spread?.days ?? 0];
  const squares = laggedOf(days, k, m, 0) + (spread?.squares[k] ?? 0);
  const lagged = laggedOf(days, k, m, 1) + (spread?.lagged[k] ?? 0);
  const free = spread ? B + H - 2 : B - 1;
  const rho = likeness(lagged, squares, B + H);
  const inflation = Math.max(memory, (1 + rho) / (1 - rho));
  // of one day's e_d, and of the number of days that the reference is worth
  const ofDay = (squares / free) * inflation;
  const [v, w] = [(ofDay * B) / now.rows ** 2, (ofDay * (H || (B * before.rows) / now.rows)) / before.rows ** 2];
  const t =
    Math.abs(m - m0) / Math.sqrt(noLess(v, m0, before.rows, now.rows) + noLess(w, m0, before.rows, before.rows));
  // below that no number of cuts makes it small
  return t < 1 ? 1 : Math.min(1, 2 * studentTail(t, Math.max(0.5, free / inflation)));
}

/** I1: the correlation of a day with the one before it, its bias for few days put right (Kendall, Biometrika 1954); never below 0. */
function likeness(lagged: number, squares: number, n: number): number {
  if (squares === 0) return 0;
  const r = lagged / squares;
  return Math.min(0.95, Math.max(0, r + (1 + 3 * r) / n));
}

/** I2, the share smoothed by half a row so that it is neither 0 nor 1. */
function noLess(variance: number, share: number, of: number, rows: number): number {
  const s = (share * of + 0.5) / (of + 1);
  return Math.max(variance, (s * (1 - s)) / rows);
}

interface Day {
  rows: number;
  /** Rows below each cut, or of each category. */
  below: number[];
}

/** Days without rows are no days. */
function daysOf(kind: ReferenceHistogram['kind'], daily: readonly (readonly number[])[]): Day[] {
  const cuts = Math.max(0, (daily[0]?.length ?? 0) - (kind === 'numeric' ? 1 : 0));
  const days = daily.map((counts) => {
    demand(
      counts.length === daily[0].length,
      'day counts',
      () => `days of ${counts.length} and ${daily[0].length} bins`,
      'count into one reference',
    );
    const day: Day = { rows: 0, below: new Array(cuts).fill(0) };
    addTo(day, kind, counts);
    return day;
  });
  return days.filter((day) => day.rows > 0);
}

function addTo(day: Day, kind: ReferenceHistogram['kind'], counts: readonly number[]): void {
  let running = 0;
  for (let k = 0; k < counts.length; k++) {
    running += counts[k];
    if (k < day.below.length) day.below[k] += kind === 'numeric' ? running : counts[k];
  }
  day.rows += running;
}

function sumOf(days: readonly Day[]): Day {
  const bins = days[0]?.below.length ?? 0;
  const below = Array.from({ length: bins }, (_, k) => days.reduce((s, day) => s + day.below[k], 0));
  return { rows: days.reduce((s, day) => s + day.rows, 0), below };
}

/** Σ e_d e_{d−lag} */
function laggedOf(days: readonly Day[], k: number, share: number, lag: 0 | 1): number {
  let sum = 0;
  for (let b = lag; b < days.length; b++) {
    const [one, other] = [days[b], days[b - lag]];
    sum += (one.below[k] - share * one.rows) * (other.below[k] - share * other.rows);
  }
  return sum;
}
