/**
 * Which closed days are suspect: their labels contradict what the champion and the other sources say.
 *
 * Three tests over the trailing `days` closed days, on what is not set aside already:
 *   auc          the champion ranks worse than `aucBelow`
 *   calibration  |mean label − mean probability| is above `calibrationGapAbove`
 *   source       one source's gap differs from the others' by more than `sourceGapAbove`
 * Thresholds are for `days` days. Poison should not have to wait for a week of it, so every shorter run of newest days is
 * looked at too, against a harder threshold: gaps widen by √(days/k) for k days, as the spread of a mean does, and the AUC
 * must lie below by three standard errors of no ranking at all (Mann & Whitney 1947). The shortest run that is suspect is
 * set aside, less its oldest days that are innocent by themselves; days beside it join where they cross a plain threshold, one by one or two together. The
 * source is asked first: where one source lies, the others are innocent.
 *
 * I1  A pure function of integer sums; days walk in order. Looked at once a day as it closes, the same days give the same
 *     answer however many close at one tick.
 * I2  What is set aside, or was let in by a person, is in no later statistic.
 */

import { MICRO } from '../day-sums.js';
import type { Evidence } from '../evidence.js';
import { binnedAuc, mergeWitness, type WitnessSums } from './witness.js';

export interface QuarantineThresholds {
  readonly days: number;
  readonly aucBelow: number;
  readonly calibrationGapAbove: number;
  readonly sourceGapAbove: number;
  readonly minRows: number;
}

/** A closed day. `day` is its first instant, epoch ms; days are 24 h apart. */
export interface WitnessDay {
  readonly day: number;
  readonly sources: readonly WitnessSums[];
}

export type SuspicionKind = 'auc' | 'calibration' | 'source';

/** Days that are set aside already, or (`growing` false) were let in. */
export interface Stretch {
  readonly id: string;
  readonly kind: SuspicionKind;
  /** Empty: every source. */
  readonly source: string;
  /** Whether labels are above (1) or below (−1) what was promised. */
  readonly sign: number;
  readonly days: readonly number[];
  readonly growing: boolean;
}

export interface Suspicion {
  readonly kind: SuspicionKind;
  readonly source: string;
  readonly sign: number;
  /** Ascending. */
  readonly days: readonly number[];
  /** The days that the evidence is about: these, and innocent ones among them. */
  readonly over: readonly number[];
  /** The stretch that these days continue. */
  readonly joins?: string;
  readonly evidence: Evidence;
}

const dayMs = 86_400_000;
/** Standard errors that a run shorter than the window must be below. */
const farBelow = 3;

/** What of a window (its newest days last, at most `days` of them) is suspect beyond what is covered already. */
export function suspectDays(
  window: readonly WitnessDay[],
  covered: readonly Stretch[],
  thresholds: QuarantineThresholds,
): Suspicion[] {
  const found: Suspicion[] = [];
  const stretches = [...covered];
  const take = (suspicion: Suspicion) => {
    found.push(suspicion);
    stretches.push({ ...suspicion, id: suspicion.joins ?? '', growing: false });
  };
  for (const stretch of covered.filter(({ growing }) => growing)) {
    const joined = neighbours(stretch, freeOf(window, stretches), thresholds);
    if (joined) take(joined);
  }
  for (;;) {
    const free = freeOf(window, stretches);
    const core = firstSuspicion(free, window.length ? window[window.length - 1].day : 0, thresholds);
    if (!core) return found;
    take(grown(core, free, thresholds));
  }
}

/** A suspicion with the days beside it that cross the plain threshold. */
function grown(core: Suspicion, free: readonly WitnessDay[], thresholds: QuarantineThresholds): Suspicion {
  const more = neighbours({ ...core, id: '', growing: true }, free, thresholds);
  return more ? { ...core, days: [...core.days, ...more.days].sort((a, b) => a - b) } : core;
}

/** A suspicion without the oldest days that do not cross the plain threshold by themselves: they only filled the run up. */
function trimmed(core: Suspicion, run: readonly WitnessDay[], t: QuarantineThresholds): Suspicion {
  const stretch = { ...core, id: '', growing: true };
  const days = run.filter(({ day }) => core.days.includes(day));
  while (days.length > 1 && !crosses(stretch, days.slice(0, 1), t) && crosses(stretch, days.slice(1), t)) days.shift();
  return { ...core, days: datesOf(days) };
}

/** The days with the sums that no stretch covers (I2). */
function freeOf(window: readonly WitnessDay[], stretches: readonly Stretch[]): WitnessDay[] {
  return window.map(({ day, sources }) => {
    const over = stretches.filter(({ days }) => days.includes(day));
    if (over.some(({ source }) => source === '')) return { day, sources: [] };
    return { day, sources: sources.filter(({ source }) => !over.some((stretch) => stretch.source === source)) };
  });
}

function firstSuspicion(free: readonly WitnessDay[], newest: number, t: QuarantineThresholds): Suspicion | undefined {
  for (let k = 1; k <= t.days; k++) {
    const run = free.filter(({ day, sources }) => day > newest - k * dayMs && sources.length);
    const n = run.length; // days that say something: one of a week whose others are set aside is one day
    const found = n
      ? (sourceSuspicion(run, n, t) ?? calibrationSuspicion(run, n, t) ?? aucSuspicion(run, n, t))
      : undefined;
    if (found) return trimmed(found, run, t);
  }
  return undefined;
}

const binsOver = (days: readonly WitnessDay[]): readonly number[] =>
  mergeWitness(
    '',
    days.flatMap(({ sources }) => sources),
  ).bins;

/** Rows and mean residual, without the bins: most tests need no more. */
function gapOver(days: readonly WitnessDay[], keep: (source: string) => boolean = () => true) {
  let [rows, residual] = [0, 0];
  for (const { sources } of days)
    for (const sums of sources)
      if (keep(sums.source)) {
        rows += sums.rows;
        residual += sums.residualMicro;
      }
  return { rows, gap: rows ? residual / rows / MICRO : 0 };
}

const datesOf = (days: readonly WitnessDay[]) => days.map(({ day }) => day);

const widened = (threshold: number, k: number, days: number): number => threshold * Math.sqrt(days / k);

function sourceSuspicion(run: readonly WitnessDay[], k: number, t: QuarantineThresholds): Suspicion | undefined {
  const names = [...new Set(run.flatMap(({ sources }) => sources.map(({ source }) => source)))].sort();
  if (names.length < 2) return undefined;
  const threshold = widened(t.sourceGapAbove, k, t.days);
  const worst = names
    .map((source) => {
      const mine = gapOver(run, (name) => name === source);
      const rest = gapOver(run, (name) => name !== source);
      const enough = mine.rows >= t.minRows && rest.rows >= t.minRows;
      return {
        source,
        difference: enough ? mine.gap - rest.gap : 0,
        own: Math.abs(mine.gap),
        rows: mine.rows,
      };
    })
    .filter(({ difference }) => Math.abs(difference) > threshold)
    // of two sources, each is the other's rest: the one that is off by itself is meant
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference) || b.own - a.own)[0];
  if (!worst) return undefined;
  const days = run.filter(({ sources }) => sources.some(({ source }) => source === worst.source));
  const note = `its labels are ${signed(worst.difference)} off the other sources'${widening(t.sourceGapAbove, k, t)}`;
  return suspicion('source', worst.source, worst.difference, days, {
    ...{ test: 'source_gap', subject: worst.source, statistic: Math.abs(worst.difference), threshold },
    ...{ rows: worst.rows, note },
  });
}

function calibrationSuspicion(run: readonly WitnessDay[], k: number, t: QuarantineThresholds): Suspicion | undefined {
  const { rows, gap } = gapOver(run);
  const threshold = widened(t.calibrationGapAbove, k, t.days);
  if (rows < t.minRows || !(Math.abs(gap) > threshold)) return undefined;
  const note = `labels are ${signed(gap)} off what was promised${widening(t.calibrationGapAbove, k, t)}`;
  const evidence = { test: 'calibration_gap', subject: '', statistic: Math.abs(gap), threshold, rows, note };
  return suspicion('calibration', '', gap, run, evidence);
}

function aucSuspicion(run: readonly WitnessDay[], k: number, t: QuarantineThresholds): Suspicion | undefined {
  const { rows, gap } = gapOver(run);
  if (rows < t.minRows) return undefined;
  const { auc, error, positives, negatives } = binnedAuc(binsOver(run));
  const se = Math.sqrt((positives + negatives + 1) / (12 * positives * negatives));
  const threshold = t.aucBelow - (k < t.days ? farBelow * se : 0);
  if (!(auc + error < threshold)) return undefined;
  const note = `from binned counts, exact within ±${error.toFixed(4)}${k < t.days ? `; 3 standard errors below ${t.aucBelow}` : ''}`;
  const evidence = { test: 'champion_auc', subject: '', statistic: auc, threshold, rows, note };
  return suspicion('auc', '', gap, run, evidence);
}

function suspicion(
  kind: SuspicionKind,
  source: string,
  direction: number,
  days: readonly WitnessDay[],
  evidence: Omit<Evidence, 'holds' | 'days'>,
): Suspicion {
  return {
    ...{ kind, source, sign: Math.sign(direction) || 1, days: datesOf(days), over: datesOf(days) },
    evidence: { ...evidence, holds: true, days: days.length },
  };
}

const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(3)}`;

const widening = (threshold: number, k: number, { days }: QuarantineThresholds): string =>
  k < days ? `; ${threshold} over ${days} days is ${widened(threshold, k, days).toFixed(3)} over ${k}` : '';

/** The free days beside a stretch that cross a plain threshold: one, or two together; and so on. */
function neighbours(
  stretch: Stretch,
  free: readonly WitnessDay[],
  thresholds: QuarantineThresholds,
): Suspicion | undefined {
  const byDay = new Map(free.map((day) => [day.day, day]));
  const joined: WitnessDay[] = [];
  for (const step of [-dayMs, dayMs]) {
    let edge = step < 0 ? Math.min(...stretch.days) : Math.max(...stretch.days);
    for (;;) {
      const group = [1, 2]
        .map((size) => Array.from({ length: size }, (_, i) => byDay.get(edge + (i + 1) * step)))
        .find((days) => days.every(Boolean) && crosses(stretch, days as WitnessDay[], thresholds)) as WitnessDay[];
      if (!group) break;
      joined.push(...group);
      edge += group.length * step;
    }
  }
  if (!joined.length) return undefined;
  const days = joined.sort((a, b) => a.day - b.day);
  const test =
    plainTests(stretch, days, thresholds).find(({ crossed }) => crossed) ?? plainTests(stretch, days, thresholds)[0];
  const { crossed: _crossed, ...figures } = test;
  const note = 'beside a stretch that is set aside';
  const dates = { days: datesOf(days), over: datesOf(days) };
  return {
    ...{ kind: stretch.kind, source: stretch.source, sign: stretch.sign, ...dates, joins: stretch.id },
    evidence: { ...figures, subject: stretch.source, holds: true, days: days.length, note },
  };
}

/** Whether days cross a plain threshold as a stretch does; too few rows tell nothing. */
function crosses(stretch: Stretch, days: readonly WitnessDay[], t: QuarantineThresholds): boolean {
  return plainTests(stretch, days, t).some(
    ({ crossed, rows }) => crossed && rows >= (days.length * t.minRows) / t.days,
  );
}

/** A stretch of one source goes on by the source's gap; one of all labels by their gap, or by the ranking. */
function plainTests({ kind, source, sign }: Stretch, days: readonly WitnessDay[], t: QuarantineThresholds) {
  const mine = gapOver(days, (name) => source === '' || name === source);
  const gap = mine.gap - (source === '' ? 0 : gapOver(days, (name) => name !== source).gap);
  const aimed = { statistic: Math.abs(gap), rows: mine.rows };
  const towards = (threshold: number) => Math.sign(gap) === sign && Math.abs(gap) > threshold;
  if (source !== '')
    return [{ test: 'source_gap', ...aimed, threshold: t.sourceGapAbove, crossed: towards(t.sourceGapAbove) }];
  const { auc } = binnedAuc(binsOver(days));
  const ranking = {
    test: 'champion_auc',
    statistic: auc,
    threshold: t.aucBelow,
    rows: mine.rows,
    crossed: auc < t.aucBelow,
  };
  const above = t.calibrationGapAbove;
  const calibration = { test: 'calibration_gap', ...aimed, threshold: above, crossed: towards(above) };
  return kind === 'auc' ? [ranking, calibration] : [calibration, ranking];
}
