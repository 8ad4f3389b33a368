/**
 * The signals, as of the newest closed days: growth, calibration gap, performance against the reference, and how far each
 * feature and the prediction have moved. Each is measured from day documents alone, so that measuring again gives the same.
 */
import {
  calibrationGap,
  type DaySum,
  growth,
  meanLoss,
  type PerformanceChange,
  performanceAgainst,
  type TriggerSignals,
} from '@driftloop/algorithms';
import { dayMs, durationMs, type Evidence, hourMs, type Movement, watermarkGrainMs } from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { isToldOf } from './coverage.js';
import type { DayDocument, VersionSums } from './day-rows.js';
import { Days } from './days.documents.js';
import { movementsOf } from './diagnosis.js';
import { stand, step } from './drift-control.js';
import { LoopDocuments } from './loop.documents.js';
import type { DriftControl } from './loop-rows.js';
import { unheld } from './quarantine-parts.js';
import { Rows } from './rows.documents.js';
import { stability } from './stability.js';
import type { ModelView } from './view.js';
import type { Progress } from './watch.js';

/** One signal's value, and whether it is an alarm. */
export interface Signal {
  /** What an alarm of it says: drift.detected, performance.degraded, or nothing. */
  readonly kind: 'drift' | 'performance' | 'none';
  readonly evidence: Partial<Evidence>;
}

/** What is known at a check. */
export interface Measured {
  /** Labels that the champion has not been trained on. */
  readonly fresh: number;
  readonly trainedOn: number;
  readonly signals: readonly Signal[];
  readonly trigger: Pick<TriggerSignals, 'growth' | 'calibrationGap' | 'performance'>;
  /** Start of the first and end of the last day of the window, epoch ms; equal before any day is closed. */
  readonly window: readonly [number, number];
  /** Every feature and slice, moved ones first, strongest first; empty before a whole window of the champion's. */
  readonly movements: readonly Movement[];
  /** Where the control of false discoveries stands after this window. */
  readonly control: DriftControl;
}

/** What an earlier check left. */
export interface Held {
  readonly control: DriftControl | undefined;
  /** Whether a day has closed since: only then the window is new, and is tested. */
  readonly news: boolean;
}

@Injectable()
export class Signals {
  constructor(
    private readonly days: Days,
    private readonly rows: Rows,
    private readonly documents: LoopDocuments,
  ) {}

  async measure(view: ModelView, progress: Progress, now: number, held: Held): Promise<Measured> {
    const { training, series, timing } = view;
    const days = await this.days.lastWithDetails(series, timing.window);
    const fresh = training
      ? await this.days.labelsKnownAfter(series, training.cutoff)
      : await this.known(view, progress);
    const trainedOn = training?.datasetRows ?? 0;
    const grown = growth({ freshLabels: fresh, trainedOn });
    const scored = daysOf(days.filter((day) => isToldOf(view, day)).map(unheld), view.champion);
    const gap = calibrationGap(sums(scored, 'residualMicro'));
    const change = lossChange(view, scored);
    const found = diagnose(view, days, change, held);
    const window = windowOf(days, now);
    const dated = { windowStart: new Date(window[0]), windowEnd: new Date(window[1]) };
    const signals: Signal[] = [
      { kind: 'none', evidence: { ...growthEvidence(view, grown, fresh), ...dated } },
      ...(gap.days ? [{ kind: 'performance' as const, evidence: { ...gapEvidence(view, gap), ...dated } }] : []),
      ...(change ? [{ kind: 'performance' as const, evidence: { ...lossEvidence(view, change), ...dated } }] : []),
      ...(await this.silence(view, now)).map((evidence) => ({ kind: 'none' as const, evidence })),
      ...stability(view, found.movements).map((evidence) => ({
        kind: 'drift' as const,
        evidence: { ...evidence, ...dated },
      })),
    ];
    const trigger = { growth: grown, calibrationGap: gap.days ? gap : null, performance: change ?? null };
    return { fresh, trainedOn, signals, trigger, window, ...found };
  }

  /** Sources that have fallen silent: how many hours their watermark is behind. */
  private async silence(view: ModelView, now: number): Promise<Partial<Evidence>[]> {
    const allowed = durationMs(view.spec.monitoring.silence) + watermarkGrainMs;
    const sources = await this.documents.sourcesOf(view.series);
    return sources
      .sort((a, b) => (a._id < b._id ? -1 : 1))
      .map(({ _id, watermark }) => ({
        ...{ test: 'silence', subject: _id.slice(view.series.length + 1), holds: now - watermark > allowed },
        ...{ statistic: (now - watermark) / hourMs, threshold: allowed / hourMs },
        ...{ windowStart: new Date(watermark), windowEnd: new Date(now), note: 'hours without a row or a watermark' },
      }));
  }

  /** Every label that is known: what a first training could learn from. */
  async known(view: ModelView, { closed }: Progress): Promise<number> {
    const before = await this.days.labelsKnownAfter(view.series, Number.MIN_SAFE_INTEGER);
    const from = closed === undefined ? Number.MIN_SAFE_INTEGER : closed + dayMs;
    return before + (await this.rows.countLabelsFrom(view.labels, from));
  }
}

/** Whether the champion's loss is above its reference by more than a standard error: only a rise can be shared out. */
export const hasRisen = (view: ModelView, days: readonly DayDocument[]): boolean =>
  isRise(lossChange(view, scoredOf(view, days)));

const isRise = (change: PerformanceChange | undefined): boolean => change !== undefined && change.z >= 1;

const scoredOf = (view: ModelView, days: readonly DayDocument[]): ScoredDay[] =>
  daysOf(
    days.filter((day) => isToldOf(view, day)),
    view.champion,
  );

/** Measures every movement, and says which stand: tested once, when a day has closed. */
function diagnose(view: ModelView, days: readonly DayDocument[], change: PerformanceChange | undefined, held: Held) {
  const { champion, timing, spec } = view;
  const movements = movementsOf(view, days, isRise(change));
  if (!held.news) return stand(movements, held.control, champion);
  const options = { champion, rate: spec.monitoring.falseDiscoveryRate, window: timing.window };
  return step(movements, held.control, options);
}

interface ScoredDay {
  readonly day: string;
  readonly sums: VersionSums;
}

/**
 * A version's sums of each day on all of the traffic: its days in shadow count as well as those in service, so that a
 * new champion is not blind for a window.
 */
function daysOf(days: readonly DayDocument[], version: string): ScoredDay[] {
  return days.flatMap(({ day, versions }) => {
    const own = versions.filter((sums) => sums.version === version);
    const served = own.filter(({ role }) => role === 'champion' || role === 'challenger');
    const counted = served.length ? served : own.filter(({ role }) => role === 'frozen');
    return counted.map((sums) => ({ day: new Date(day).toISOString(), sums }));
  });
}

const sums = (days: readonly ScoredDay[], field: 'residualMicro' | 'clippedLossNano'): DaySum[] =>
  days.map(({ day, sums }) => ({ day, rows: sums.rows, sum: sums[field] }));

/**
 * The champion's loss against its twin's on the embargoed days: the same recipe on days that it had not seen. A champion
 * without such a reference has no change to tell: a mean without its spread would sound with every season.
 */
function lossChange(view: ModelView, scored: readonly ScoredDay[]): PerformanceChange | undefined {
  const twin = view.training && view.twinLoss.get(view.training.cycleId);
  const now = meanLoss(sums(scored, 'clippedLossNano'));
  return twin && twin.days >= 2 && now.days >= 2 ? performanceAgainst(twin, now) : undefined;
}

function windowOf(days: readonly DayDocument[], now: number): readonly [number, number] {
  return days.length ? [days[0].day, days[days.length - 1].day + dayMs] : [now, now];
}

function growthEvidence(view: ModelView, value: number, fresh: number): Partial<Evidence> {
  const wanted = view.spec.retraining.any.flatMap((rule) => ('growth' in rule ? [rule.growth.atLeast] : []));
  const threshold = wanted.length ? Math.min(...wanted) : 0;
  const holds = wanted.length > 0 && value >= threshold;
  return { test: 'growth', subject: view.champion, statistic: value, threshold, holds, rows: fresh };
}

function gapEvidence(view: ModelView, gap: ReturnType<typeof calibrationGap>): Partial<Evidence> {
  const rules = view.spec.retraining.any.flatMap((rule) => ('calibrationGap' in rule ? [rule.calibrationGap] : []));
  const { atLeast: threshold, z } = rules[0] ?? { atLeast: 0.05, z: 2 };
  const statistic = Math.abs(gap.gap);
  const holds = statistic >= threshold && gap.z >= z;
  const note = `${gap.gap > 0 ? 'promises too little' : 'promises too much'}, z ${gap.z.toFixed(2)} against ${z}`;
  const { rows, days } = gap;
  return { test: 'calibration_gap', subject: view.champion, statistic, threshold, holds, rows, days, note };
}

function lossEvidence(view: ModelView, { z, increase, se, rows, days }: PerformanceChange): Partial<Evidence> {
  const threshold = view.spec.monitoring.performance.z;
  const note = `log loss ${increase >= 0 ? '+' : ''}${increase.toFixed(4)} against its reference, se ${se.toFixed(4)}`;
  const holds = z >= threshold;
  return { test: 'performance', subject: view.champion, statistic: z, threshold, holds, rows, days, note };
}
