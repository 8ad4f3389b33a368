/**
 * The trigger policy: given what monitoring knows at a check, should a retraining cycle open? Declarative: any of several conditions, each of one or
 * more signals that must all hold; then guards that no condition overrides (a breaker that calls a human, one open cycle, cooldown, daily budget, enough fresh
 * labels). Every signal known is returned as evidence, whether or not it triggered.
 * The default is the one that statistics of a year of flights show to pay: growth ≥ .5, or a calibration gap ≥ .05 with block z ≥ 2; cooldown 8 days; 2,400 labels.
 *
 * @example
 * const decision = decideTrigger({ growth: 0.61, freshLabels: 8200, daysSinceLastCycle: 12 });
 * decision.retrain; // true
 * decision.signal;  // 'growth'
 */
import { demand } from '../bad-input.js';
import { type Evidence, finite } from '../evidence.js';

/** A measured drift with the block statistics that it comes with. */
export interface BlockSignal {
  readonly z?: number;
  readonly rows?: number;
  readonly days?: number;
  /** The window, for the evidence's note. */
  readonly window?: string;
}

/** What is known at the check; a signal that is absent, null or NaN is not known yet, and no condition on it holds. */
export interface TriggerSignals {
  readonly growth?: number | null;
  readonly calibrationGap?: (BlockSignal & { readonly gap: number }) | null;
  readonly performance?: (BlockSignal & { readonly increase: number }) | null;
  /** PSI of the most moved feature. */
  readonly featureDrift?: (BlockSignal & { readonly psi: number; readonly feature?: string }) | null;
  readonly predictionDrift?: (BlockSignal & { readonly psi: number }) | null;
  /** Days of event time since the last cycle opened (or the champion's training, before any); null: never. */
  readonly daysSinceLastCycle?: number | null;
  readonly freshLabels: number;
  readonly cycleOpen?: boolean;
  readonly cyclesOpenedToday?: number;
  /** Failed cycles in a row. */
  readonly failedCycles?: number;
  /** An operator has paused retraining. */
  readonly paused?: boolean;
}

/** All parts given must hold together; at least one. */
export interface TriggerCondition {
  readonly growth?: { readonly atLeast: number };
  /** On |gap|. */
  readonly calibrationGap?: { readonly atLeast: number; readonly z?: number };
  /** On the increase of mean loss over the reference. */
  readonly performance?: { readonly atLeast: number; readonly z?: number };
  readonly featureDrift?: { readonly atLeast: number };
  readonly predictionDrift?: { readonly atLeast: number };
  readonly calendar?: { readonly everyDays: number };
}

export type TriggerSignalName = keyof TriggerCondition;

export interface TriggerPolicy {
  /** A cycle opens when any of these holds; [] never opens one. */
  readonly any?: readonly TriggerCondition[];
  /** Days from a cycle's opening in which no other opens. Default 8. */
  readonly cooldownDays?: number;
  /** Default 2,400. */
  readonly minFreshLabels?: number;
  /** Cycles a day of event time. Default 1. */
  readonly dailyBudget?: number;
  /** Failed cycles in a row after which only a human starts one. Default 5. */
  readonly breakerAfter?: number;
}

export type TriggerGuard = 'paused' | 'breaker' | 'cycle-open' | 'cooldown' | 'daily-budget' | 'few-labels';

export interface TriggerDecision {
  readonly retrain: boolean;
  /** The first condition that holds, its signals joined by '+' in the order of TriggerCondition; present also when a guard held it back. */
  readonly signal: string | null;
  /** In words: why, or why not. */
  readonly reasons: readonly string[];
  /** Guards that held a holding condition back. */
  readonly heldBackBy: readonly TriggerGuard[];
  /** One record a signal part of each condition, duplicates removed. */
  readonly evidence: readonly Evidence[];
}

export const DEFAULT_TRIGGER_POLICY: Required<TriggerPolicy> = {
  any: [{ growth: { atLeast: 0.5 } }, { calibrationGap: { atLeast: 0.05, z: 2 } }],
  cooldownDays: 8,
  minFreshLabels: 2400,
  dailyBudget: 1,
  breakerAfter: 5,
};

/** Decides. @throws BadInput for a policy that cannot be read: an empty condition, a limit that is no number. */
export function decideTrigger(signals: TriggerSignals, policy: TriggerPolicy = {}): TriggerDecision {
  const given = Object.fromEntries(Object.entries(policy).filter(([, v]) => v !== undefined)) as TriggerPolicy;
  const p = { ...DEFAULT_TRIGGER_POLICY, ...given };
  checkPolicy(p);
  const measured = p.any.map((condition) => measure(condition, signals));
  const evidence = distinct(measured.flatMap((m) => m.evidence));
  const holding = measured.find((m) => m.holds);
  if (!holding) {
    const reasons =
      p.any.length === 0 ? ['no condition is declared'] : measured.map((m) => `not ${m.words.join(' and ')}`);
    return { retrain: false, signal: null, reasons, heldBackBy: [], evidence };
  }
  const guards = guardsAgainst(signals, p);
  const reasons = [holding.words.join(' and '), ...guards.map((g) => g.words)];
  return {
    retrain: guards.length === 0,
    signal: holding.name,
    reasons,
    heldBackBy: guards.map((g) => g.guard),
    evidence,
  };
}

interface Measured {
  readonly name: string;
  readonly holds: boolean;
  readonly words: string[];
  readonly evidence: Evidence[];
}

interface Part {
  readonly test: TriggerSignalName;
  readonly value: number | null | undefined;
  readonly atLeast: number;
  readonly z?: number;
  readonly from?: BlockSignal | null;
  readonly subject?: string;
}

const show = (x: number): string => String(Number(x.toPrecision(3)));

function partsOf(c: TriggerCondition, s: TriggerSignals): Part[] {
  const parts: Part[] = [];
  const gap = s.calibrationGap;
  if (c.growth) parts.push({ test: 'growth', value: s.growth, ...c.growth });
  if (c.calibrationGap)
    parts.push({ test: 'calibrationGap', value: gap ? Math.abs(gap.gap) : null, ...c.calibrationGap, from: gap });
  if (c.performance)
    parts.push({ test: 'performance', value: s.performance?.increase, ...c.performance, from: s.performance });
  if (c.featureDrift) {
    const subject = s.featureDrift?.feature;
    parts.push({
      test: 'featureDrift',
      value: s.featureDrift?.psi,
      ...c.featureDrift,
      from: s.featureDrift,
      ...(subject ? { subject } : {}),
    });
  }
  if (c.predictionDrift) {
    parts.push({
      test: 'predictionDrift',
      value: s.predictionDrift?.psi,
      ...c.predictionDrift,
      from: s.predictionDrift,
    });
  }
  if (c.calendar) {
    // Never opened: the calendar is due at once.
    const since = s.daysSinceLastCycle ?? c.calendar.everyDays;
    parts.push({ test: 'calendar', value: since, atLeast: c.calendar.everyDays });
  }
  return parts;
}

function measure(condition: TriggerCondition, signals: TriggerSignals): Measured {
  const parts = partsOf(condition, signals);
  const results = parts.map((part) => ({ part, ...weigh(part, signals) }));
  return {
    name: parts.map((part) => part.test).join('+'),
    holds: results.every((r) => r.holds),
    words: results.map((r) => r.words),
    evidence: results.flatMap((r) => r.evidence),
  };
}

function weigh(part: Part, signals: TriggerSignals): { holds: boolean; words: string; evidence: Evidence[] } {
  const { test, value, atLeast, from } = part;
  if (value === null || value === undefined || Number.isNaN(value)) {
    return { holds: false, words: `${test} ≥ ${atLeast} (not known yet)`, evidence: [] };
  }
  const z = from?.z;
  const clear = part.z === undefined || (z !== undefined && z >= part.z);
  const holds = value >= atLeast && clear;
  const found = part.z === undefined ? '' : `, z ${z === undefined ? 'unknown' : show(z)} against ${part.z}`;
  const rows = from?.rows ?? (test === 'growth' ? signals.freshLabels : 0);
  const note = [found.slice(2), from?.window ?? ''].filter((w) => w !== '').join('; ');
  const subject = part.subject ?? 'champion';
  const record: Evidence = {
    test,
    subject,
    statistic: finite(value),
    threshold: atLeast,
    holds,
    rows,
    days: from?.days ?? 0,
  };
  return {
    holds,
    words: `${test} ${show(value)} ≥ ${atLeast}${found}`,
    evidence: [note === '' ? record : { ...record, note }],
  };
}

function guardsAgainst(s: TriggerSignals, p: Required<TriggerPolicy>): { guard: TriggerGuard; words: string }[] {
  const held: { guard: TriggerGuard; words: string }[] = [];
  const failed = s.failedCycles ?? 0;
  const since = s.daysSinceLastCycle ?? Number.POSITIVE_INFINITY;
  const today = s.cyclesOpenedToday ?? 0;
  if (s.paused) held.push({ guard: 'paused', words: 'held back: retraining is paused by an operator' });
  if (failed >= p.breakerAfter)
    held.push({ guard: 'breaker', words: `held back: ${failed} cycles failed in a row; a person must look and reset` });
  if (s.cycleOpen) held.push({ guard: 'cycle-open', words: 'held back: a cycle is open' });
  if (since < p.cooldownDays)
    held.push({
      guard: 'cooldown',
      words: `held back: ${show(since)} days since the last cycle, cooldown ${p.cooldownDays}`,
    });
  if (today >= p.dailyBudget)
    held.push({ guard: 'daily-budget', words: `held back: ${today} cycles opened today, budget ${p.dailyBudget}` });
  if (!(s.freshLabels >= p.minFreshLabels)) {
    held.push({
      guard: 'few-labels',
      words: `held back: ${s.freshLabels} fresh labels, fewer than ${p.minFreshLabels}`,
    });
  }
  return held;
}

function distinct(records: readonly Evidence[]): Evidence[] {
  return [...new Map(records.map((e) => [`${e.test}/${e.subject}/${e.threshold}/${e.note ?? ''}`, e])).values()];
}

function checkPolicy(p: Required<TriggerPolicy>): void {
  for (const key of ['cooldownDays', 'minFreshLabels', 'dailyBudget', 'breakerAfter'] as const) {
    demand(p[key] >= 0, `policy.${key}`, () => String(p[key]), 'pass a number of at least 0');
  }
  p.any.forEach((condition, i) => {
    const parts = Object.entries(condition).filter(([, part]) => part !== undefined);
    demand(
      parts.length > 0,
      `policy.any[${i}]`,
      () => 'an empty condition',
      'name at least one signal, such as growth: { atLeast: .5 }',
    );
    for (const [name, part] of parts) {
      const limits = Object.values(part as Record<string, number | undefined>).filter((limit) => limit !== undefined);
      const numbers = limits.length > 0 && limits.every((limit) => Number.isFinite(limit));
      demand(numbers, `policy.any[${i}].${name}`, () => JSON.stringify(part), 'pass finite limits');
    }
  });
}
