/**
 * The tests of a run of days: one source's gap or ranking against the others', the calibration gap, the champion's ranking.
 * For `days` days they hold against the declared thresholds; a run of k < days needs more (suspicion.ts says why).
 */
import { MICRO } from '../day-sums.js';
import type { Evidence } from '../evidence.js';
import { type BinnedAuc, binnedAuc, mergeWitness, type WitnessSums } from './witness.js';

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

export const dayMs = 86_400_000;
/** Standard errors that a run shorter than the window must be below; and those that a day beside a stretch must. */
const farBelow = 3;
const below = 1;

/** What a run of k days shows: the source is asked first, since where one source lies the others are innocent. */
export function testRun(run: readonly WitnessDay[], k: number, t: QuarantineThresholds): Suspicion | undefined {
  return sourceSuspicion(run, k, t) ?? calibrationSuspicion(run, k, t) ?? aucSuspicion(run, k, t);
}

const aucOver = (days: readonly WitnessDay[], keep: (source: string) => boolean = () => true): BinnedAuc =>
  binnedAuc(
    mergeWitness(
      '',
      days.flatMap(({ sources }) => sources.filter(({ source }) => keep(source))),
    ).bins,
  );

/** What an AUC over k days must lie below: for fewer than the whole window, by three standard errors of no ranking. */
const rankingThreshold = (ranking: BinnedAuc, k: number, t: QuarantineThresholds): number =>
  t.aucBelow - (k < t.days ? farBelow * nullError(ranking) : 0);

/** Standard error of an AUC where there is no ranking. */
const nullError = ({ positives, negatives }: BinnedAuc): number =>
  Math.sqrt((positives + negatives + 1) / (12 * positives * negatives));

const rankingNote = ({ error }: BinnedAuc, k: number, t: QuarantineThresholds): string =>
  `from binned counts, exact within ±${error.toFixed(4)}${k < t.days ? `; 3 standard errors below ${t.aucBelow}` : ''}`;

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

export const datesOf = (days: readonly WitnessDay[]) => days.map(({ day }) => day);

const widened = (threshold: number, k: number, days: number): number => threshold * Math.sqrt(days / k);

function sourceSuspicion(run: readonly WitnessDay[], k: number, t: QuarantineThresholds): Suspicion | undefined {
  const names = [...new Set(run.flatMap(({ sources }) => sources.map(({ source }) => source)))].sort();
  if (names.length < 2) return undefined;
  const able = names.flatMap((source) => {
    const mine = gapOver(run, (name) => name === source);
    const rest = gapOver(run, (name) => name !== source);
    if (mine.rows < t.minRows || rest.rows < t.minRows) return [];
    return [{ source, difference: mine.gap - rest.gap, own: Math.abs(mine.gap), rows: mine.rows }];
  });
  return sourceGap(run, able, k, t) ?? sourceRanking(run, able, k, t);
}

type AbleSource = { source: string; difference: number; own: number; rows: number };

const daysOf = (run: readonly WitnessDay[], of: string): WitnessDay[] =>
  run.filter(({ sources }) => sources.some(({ source }) => source === of));

function sourceGap(run: readonly WitnessDay[], able: readonly AbleSource[], k: number, t: QuarantineThresholds) {
  const threshold = widened(t.sourceGapAbove, k, t.days);
  const worst = able
    .filter(({ difference }) => Math.abs(difference) > threshold)
    // of two sources, each is the other's rest: the one that is off by itself is meant
    .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference) || b.own - a.own)[0];
  if (!worst) return undefined;
  const { source, difference, rows } = worst;
  const note = `its labels are ${signed(difference)} off the other sources'${widening(t.sourceGapAbove, k, t)}`;
  const figures = { statistic: Math.abs(difference), threshold, rows, note };
  return suspicion('source', source, difference, daysOf(run, source), {
    test: 'source_gap',
    subject: source,
    ...figures,
  });
}

/** Where labels are balanced, flipping them moves no gap: the champion ranks one source's worse than by chance, but not the rest. */
function sourceRanking(run: readonly WitnessDay[], able: readonly AbleSource[], k: number, t: QuarantineThresholds) {
  for (const { source, difference, rows } of able) {
    const ranking = aucOver(run, (name) => name === source);
    const threshold = rankingThreshold(ranking, k, t);
    const rest = aucOver(run, (name) => name !== source);
    if (!(ranking.auc + ranking.error < threshold && rest.auc > t.aucBelow)) continue;
    const figures = { statistic: ranking.auc, threshold, rows, note: rankingNote(ranking, k, t) };
    return suspicion('source', source, difference, daysOf(run, source), {
      test: 'source_auc',
      subject: source,
      ...figures,
    });
  }
  return undefined;
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
  const ranking = aucOver(run);
  const threshold = rankingThreshold(ranking, k, t);
  if (!(ranking.auc + ranking.error < threshold)) return undefined;
  const note = rankingNote(ranking, k, t);
  return suspicion('auc', '', gap, run, {
    test: 'champion_auc',
    subject: '',
    statistic: ranking.auc,
    threshold,
    rows,
    note,
  });
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

/** A stretch of one source goes on by the source's gap; one of all labels by their gap, or by the ranking. */
export function plainTests({ kind, source, sign }: Stretch, days: readonly WitnessDay[], t: QuarantineThresholds) {
  const mine = gapOver(days, (name) => source === '' || name === source);
  const gap = mine.gap - (source === '' ? 0 : gapOver(days, (name) => name !== source).gap);
  const aimed = { statistic: Math.abs(gap), rows: mine.rows };
  const towards = (threshold: number) => Math.sign(gap) === sign && Math.abs(gap) > threshold;
  const ranked = aucOver(days, (name) => source === '' || name === source);
  const least = t.aucBelow - below * nullError(ranked);
  const ranking = {
    test: 'champion_auc',
    statistic: ranked.auc,
    threshold: least,
    rows: mine.rows,
    crossed: ranked.auc < least,
  };
  if (source !== '') {
    const threshold = t.sourceGapAbove;
    return [
      { test: 'source_gap', ...aimed, threshold, crossed: towards(threshold) },
      { ...ranking, test: 'source_auc' },
    ];
  }
  const above = t.calibrationGapAbove;
  const calibration = { test: 'calibration_gap', ...aimed, threshold: above, crossed: towards(above) };
  return kind === 'auc' ? [ranking, calibration] : [calibration, ranking];
}
