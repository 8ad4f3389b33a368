/**
 * The gate: may this challenger enter shadow? A pure function of what training measured on the embargoed days.
 * Refuses when it cannot know (too few rows or days, figures that are not numbers), when the graph disagrees with its trainer, when one feature
 * alone predicts too well (a leak), when the twin is significantly worse, or when a slice is significantly harmed. All rules are always
 * evaluated, so that one refusal shows everything there is to mend.
 *
 * @example
 * const verdict = gate({ days, slices, features: [{ feature: 'dep_delay', auc: 0.883 }], parity: { rows: 2400, maxDifference: 2e-7, notFinite: 0 } });
 * verdict.approved; // false
 * verdict.reasons;  // ['leak: feature dep_delay alone has AUC 0.883, above 0.8; remove it or make it known in time']
 */
import { demand } from '../bad-input.js';
import type { DaySum } from '../day-sums.js';
import { type Evidence, finite } from '../evidence.js';
import { type BlockComparison, compareBlocks, nonInferiority, superiority } from './paired-blocks.js';
import { harmBySlice, type SliceDays } from './slices.js';

/** AUC of one feature alone on the newest rows of the training set, missing values as a level of their own. */
export interface FeatureAuc {
  readonly feature: string;
  readonly auc: number;
}

/** The exported graph against the trainer's own predictions, over every embargo row. */
export interface Parity {
  readonly rows: number;
  /** Largest |p(graph) − p(trainer)|. */
  readonly maxDifference: number;
  /** Predictions, of either model, that are not finite numbers. */
  readonly notFinite: number;
}

export interface GateInput {
  /** Day sums of δ = loss(champion) − loss(challenger) in nano-units (`pairedLoss`), whole closed days only. */
  readonly days: readonly DaySum[];
  readonly slices?: readonly SliceDays[];
  readonly features?: readonly FeatureAuc[];
  readonly parity?: Parity;
}

export interface GateOptions {
  /** 'non-inferior' (default: superiority throws good challengers away) or 'superior'. */
  readonly rule?: 'non-inferior' | 'superior';
  /** One-sided level of the rule. Default .10 for non-inferior, .05 for superior. */
  readonly level?: number;
  /**
   * Refuse a mean loss worse by more than this, significant or not: with few noisy days even a challenger without labels can be "not significantly
   * worse". Default .01, the judge's margin; Infinity asks for the test alone.
   */
  readonly margin?: number;
  /** Default 7 days. */
  readonly minDays?: number;
  /** Default 2,400 rows. */
  readonly minRows?: number;
  /** Default 500 rows. */
  readonly sliceMinRows?: number;
  /** Family-wise level of the slice tests. Default .01. */
  readonly sliceLevel?: number;
  /** A single feature whose AUC (either direction) is above this refuses. Default .80. */
  readonly leakAuc?: number;
  /** Greatest difference between graph and trainer. Default 1e-4. */
  readonly parityTolerance?: number;
}

export interface GateVerdict {
  readonly approved: boolean;
  /** Refused only because too little is known: another attempt with more days may pass. */
  readonly inconclusive: boolean;
  /** Why it was refused; empty when approved. Each starts with its rule: 'inconclusive:', 'worse:', 'not superior:', 'slice:', 'leak:', 'parity:', 'not finite:'. */
  readonly reasons: readonly string[];
  readonly evidence: readonly Evidence[];
  /** The comparison's figures, for displays. */
  readonly comparison: BlockComparison;
}

/** Judges a challenger. Poisonous figures (NaN) refuse; @throws BadInput only for options out of range and sums that are no integers. */
export function gate(input: GateInput, options: GateOptions = {}): GateVerdict {
  const o = complete(options);
  const comparison = compareBlocks(input.days);
  const findings = [
    exposure(comparison, o),
    quality(comparison, o),
    sliceHarm(input.slices ?? [], o),
    leaks(input.features ?? [], o),
    parity(input.parity, o),
  ];
  const reasons = findings.flatMap((f) => f.reasons);
  const inconclusive = reasons.length > 0 && reasons.every((r) => r.startsWith('inconclusive:'));
  return {
    approved: reasons.length === 0,
    inconclusive,
    reasons,
    evidence: findings.flatMap((f) => f.evidence),
    comparison,
  };
}

interface Finding {
  readonly reasons: string[];
  readonly evidence: Evidence[];
}

const show = (x: number): string => String(Number(x.toPrecision(4)));

function complete(options: GateOptions): Required<GateOptions> {
  const rule = options.rule ?? 'non-inferior';
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as GateOptions;
  const o = {
    rule,
    level: rule === 'superior' ? 0.05 : 0.1,
    margin: 0.01,
    minDays: 7,
    minRows: 2400,
    sliceMinRows: 500,
    sliceLevel: 0.01,
    leakAuc: 0.8,
    parityTolerance: 1e-4,
    ...given,
  };
  for (const key of ['level', 'sliceLevel'] as const) {
    demand(o[key] > 0 && o[key] < 0.5, `gate.${key}`, () => String(o[key]), 'pass a level between 0 and .5');
  }
  demand(
    o.leakAuc > 0.5 && o.leakAuc <= 1,
    'gate.leakAuc',
    () => String(o.leakAuc),
    'pass an AUC above .5 and up to 1',
  );
  for (const key of ['margin', 'minDays', 'minRows', 'sliceMinRows', 'parityTolerance'] as const) {
    demand(o[key] >= 0, `gate.${key}`, () => String(o[key]), 'pass a number of at least 0');
  }
  return o;
}

function exposure(c: BlockComparison, o: Required<GateOptions>): Finding {
  const base = { subject: 'embargoed days', rows: c.rows, days: c.days, note: c.window };
  const minDays = Math.max(2, o.minDays);
  const evidence: Evidence[] = [
    { ...base, test: 'enough rows', statistic: c.rows, threshold: o.minRows, holds: c.rows >= o.minRows },
    { ...base, test: 'enough days', statistic: c.days, threshold: minDays, holds: c.days >= minDays },
  ];
  const reasons = evidence
    .filter((e) => !e.holds)
    .map(
      (e) => `inconclusive: ${e.statistic} ${e.test.slice(7)} of closed days, fewer than ${e.threshold}; wait for more`,
    );
  return { evidence, reasons };
}

function quality(c: BlockComparison, o: Required<GateOptions>): Finding {
  if (c.days < 2) return { evidence: [], reasons: [] };
  const superior = o.rule === 'superior';
  const tested = superior ? superiority(c, o.level) : nonInferiority(c, o.level);
  const near: Evidence = {
    ...tested,
    test: 'mean within margin',
    statistic: c.m,
    threshold: finite(-o.margin),
    holds: c.m >= -o.margin,
  };
  const found = `mean δ ${show(c.m)} a row over ${c.days} days, t ${show(tested.statistic)}`;
  const reasons: string[] = [];
  if (!tested.holds && superior) reasons.push(`not superior: ${found}, not above ${show(tested.threshold)}`);
  if (!tested.holds && !superior)
    reasons.push(`worse: the challenger loses, ${found}, not above ${show(tested.threshold)}`);
  if (tested.holds && !near.holds)
    reasons.push(`worse: ${found}, beyond the margin ${o.margin} although not significant`);
  return { evidence: [tested, near], reasons };
}

function sliceHarm(slices: readonly SliceDays[], o: Required<GateOptions>): Finding {
  const evidence = harmBySlice(slices, { minRows: o.sliceMinRows, level: o.sliceLevel });
  const reasons = evidence
    .filter((e) => e.holds)
    .map((e) => `slice: ${e.subject} is harmed, t ${show(e.statistic)} below ${show(e.threshold)} (${e.note})`);
  return { evidence, reasons };
}

/**
 * An AUC far below one half predicts as well as one above it, so the direction does not matter. Every feature is tested; shown
 * are those that leak, or else the strongest.
 */
function leaks(features: readonly FeatureAuc[], o: Required<GateOptions>): Finding {
  const tested = features.map(({ feature, auc }) => {
    const strength = Math.max(auc, 1 - auc);
    const known = strength >= 0.5 && strength <= 1;
    return { feature, auc, strength, known, holds: !known || strength > o.leakAuc };
  });
  const leaking = tested.filter(({ holds }) => holds);
  const strongest = [...tested].sort((a, b) => b.strength - a.strength).slice(0, 1);
  return {
    evidence: (leaking.length ? leaking : strongest).map(({ feature, strength, known, holds }) => ({
      test: 'leak',
      subject: `feature ${feature}`,
      statistic: finite(strength),
      threshold: o.leakAuc,
      holds,
      // Not the embargoed days: those are too few to tell a leak from a season.
      rows: 0,
      days: 0,
      note: known
        ? `${tested.length} features tested alone, on the newest rows of the training set`
        : 'the AUC is not a number between 0 and 1',
    })),
    reasons: leaking.map(({ feature, auc, known }) =>
      known
        ? `leak: feature ${feature} alone has AUC ${show(auc)}, above ${o.leakAuc}; remove it or make it known in time`
        : `not finite: the AUC of feature ${feature} is ${auc}`,
    ),
  };
}

function parity(p: Parity | undefined, o: Required<GateOptions>): Finding {
  if (p === undefined) return { evidence: [], reasons: [] };
  const base = { rows: p.rows, days: 0 };
  const equal = p.maxDifference <= o.parityTolerance;
  const clean = p.notFinite === 0;
  const evidence: Evidence[] = [
    {
      ...base,
      test: 'parity',
      subject: 'graph − trainer',
      statistic: finite(p.maxDifference),
      threshold: o.parityTolerance,
      holds: equal,
    },
    { ...base, test: 'all finite', subject: 'predictions', statistic: finite(p.notFinite), threshold: 0, holds: clean },
  ];
  const reasons: string[] = [];
  if (!equal)
    reasons.push(
      `parity: the graph differs from its trainer by ${p.maxDifference}, above ${o.parityTolerance}; export again`,
    );
  if (!clean) reasons.push(`not finite: ${p.notFinite} of ${p.rows} predictions are not numbers`);
  return { evidence, reasons };
}
