/**
 * The sequential judge of a rollout in shadow: after every closed day it says promote, harm or continue, and may be asked at any time without
 * its error rates growing. Champion and challenger answered the same rows; δ = loss(champion) − loss(challenger).
 *
 *   X_d = Σδ / typical rows a day, clipped to ±c          the day's gain, c = .03
 *   promote   E(X + Δ_d over c − Δ_d) ≥ 20                rejects "worse by Δ a row or more": false in at most 6% of such rollouts
 *   harm      E(−X over c) ≥ 100                          rejects "not worse": false in at most 1%
 *   superior  E(X over c) ≥ 20                            recorded only: rejects "not better"
 *
 * where E is the betting wealth of betting.ts, and Δ_d = Δ·min(1, rows/typical): a thin day may not earn a full day's margin, so an outage promotes nobody.
 * After `limitDays` the rule is no test any more: promote when the mean X of a full day is above −Δ/2, recorded as undecided.
 *
 * What is tested is the mean of the clipped X, and a clip that is nearer on one side of the boundary −Δ than on the other moves it: with X in ±c the bet's payoff lay in
 * [−1, 2], and where days vary as widely as the clip a challenger on the boundary was promoted in 7–14%. So the payoff of promotion is clipped at GAIN_CLIP = 11/8:
 * sizes of at most .06 for day shocks from .01 to .06 (normal and t with 4 degrees of freedom; sizes.spec.ts), for .02 of power at a shock of .015 (.03 where
 * shocks are .03, and a day or two). 1 would be exact for symmetric days (size .02) and cost .1 to .3 of power. Better and harm, whose null is 0, are symmetric.
 *
 * I1  A pure function of (state, block); the state is JSON, complete, and carries its options from the rollout's start.
 * I2  Blocks count once, in order: one at or before the last block, or after the decision, changes nothing.
 * I3  A decision, once made, stands.
 *
 * @example
 * let state = startJudge({ typicalRows: typicalRows(champion's last 14 closed days) });
 * const step = updateJudge(state, { day: '2013-03-01', rows: 305, sum: 1_220_000_000 });
 * state = step.state; step.decision; // 'continue'
 *
 * Sources: Ville 1939; Waudby-Smith & Ramdas, JRSS-B 2024; Ramdas et al., "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 2023.
 */
import { demand } from '../bad-input.js';
import { type DaySum, NANO } from '../day-sums.js';
import { type Evidence, finite } from '../evidence.js';
import { bet, eValue, type LogWealth, logEValue, openWealth } from './betting.js';

/** The most that a day may earn the claim of promotion, in units of what it may cost it. */
export const GAIN_CLIP = 11 / 8;

export interface JudgeOptions {
  /** The champion's typical rows a closed day, fixed at the rollout's start: see `typicalRows`. */
  readonly typicalRows: number;
  /** Δ: how much worse, in loss a row, is still acceptable. Default .01. */
  readonly margin?: number;
  /** c: a day's gain is clipped to ±c. Default .03; must exceed the margin. */
  readonly clip?: number;
  /** Promote at E ≥ this. Default 20. */
  readonly promoteAt?: number;
  /** Stop for harm at E ≥ this. Default 100. */
  readonly harmAt?: number;
  /** Days after which the rule decides. Default 28. */
  readonly limitDays?: number;
  /** Full days' worth of rows without which the limit never promotes. Default 7. */
  readonly minExposureDays?: number;
}

export type JudgeDecision = 'continue' | 'promote' | 'harm' | 'undecided-promote' | 'undecided-stop';

export interface JudgeState {
  readonly options: Required<JudgeOptions>;
  readonly promote: LogWealth;
  readonly harm: LogWealth;
  readonly superior: LogWealth;
  readonly days: number;
  readonly rows: number;
  /** Σ min(1, rows/typical): how many full days have been seen. */
  readonly exposure: number;
  /** Σ of clipped X. */
  readonly gain: number;
  readonly firstDay: string | null;
  readonly lastDay: string | null;
  readonly decision: JudgeDecision;
}

export interface JudgeStep {
  readonly state: JudgeState;
  readonly decision: JudgeDecision;
  readonly evidence: Evidence[];
}

/** Median rows of the last `count` closed days (default 14), at least 1: the yardstick of the judge. @throws BadInput without any day. */
export function typicalRows(days: readonly { readonly day: string; readonly rows: number }[], count = 14): number {
  demand(days.length > 0, 'typicalRows', () => 'no closed days', "pass the champion's closed days before the rollout");
  const last = [...days].sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0)).slice(-count);
  const rows = last.map((d) => d.rows).sort((a, b) => a - b);
  const half = rows.length >> 1;
  return Math.max(1, rows.length % 2 === 1 ? rows[half] : (rows[half - 1] + rows[half]) / 2);
}

/** The judge's state before the first day. @throws BadInput for options out of range. */
export function startJudge(options: JudgeOptions): JudgeState {
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as JudgeOptions;
  const o = { margin: 0.01, clip: 0.03, promoteAt: 20, harmAt: 100, limitDays: 28, minExposureDays: 7, ...given };
  demand(o.typicalRows > 0, 'judge.typicalRows', () => String(o.typicalRows), 'pass a positive number of rows a day');
  demand(
    o.margin >= 0 && o.margin < o.clip,
    'judge.margin',
    () => `${o.margin}, clip ${o.clip}`,
    'keep 0 ≤ margin < clip',
  );
  demand(
    o.promoteAt > 1 && o.harmAt > 1,
    'judge.promoteAt',
    () => `${o.promoteAt}, ${o.harmAt}`,
    'pass levels above 1: 20 is 5%',
  );
  demand(o.limitDays >= 1, 'judge.limitDays', () => String(o.limitDays), 'pass at least one day');
  const wealth = openWealth();
  const none = { days: 0, rows: 0, exposure: 0, gain: 0, firstDay: null, lastDay: null, decision: 'continue' } as const;
  return { options: o, promote: wealth, harm: wealth, superior: wealth, ...none };
}

/** Takes one closed day: day sum of δ in nano-units (`pairedLoss`). A day without rows passes the time and bets nothing. */
export function updateJudge(state: JudgeState, block: DaySum): JudgeStep {
  const whole = Number.isSafeInteger(block.sum) && Number.isSafeInteger(block.rows) && block.rows >= 0;
  demand(
    whole,
    'updateJudge',
    () => `day ${block.day}: rows ${block.rows}, sum ${block.sum}`,
    'pass whole numbers: δ summed in nano-units',
  );
  const stale = state.lastDay !== null && block.day <= state.lastDay;
  const next = stale || state.decision !== 'continue' ? state : decide(wager(state, block));
  return { state: next, decision: next.decision, evidence: judgeEvidence(next) };
}

function wager(state: JudgeState, { day, rows, sum }: DaySum): JudgeState {
  const { typicalRows: typical, margin, clip } = state.options;
  const share = Math.min(1, rows / typical);
  const x = Math.max(-clip, Math.min(clip, sum / NANO / typical));
  const allowance = margin * share;
  return {
    ...state,
    promote: bet(state.promote, Math.min(GAIN_CLIP, (x + allowance) / (clip - allowance))),
    harm: bet(state.harm, -x / clip),
    superior: bet(state.superior, x / clip),
    days: state.days + 1,
    rows: state.rows + rows,
    exposure: state.exposure + share,
    gain: state.gain + x,
    firstDay: state.firstDay ?? day,
    lastDay: day,
  };
}

function decide(state: JudgeState): JudgeState {
  return { ...state, decision: verdict(state) };
}

function verdict(state: JudgeState): JudgeDecision {
  const { promoteAt, harmAt, limitDays, minExposureDays } = state.options;
  if (logEValue(state.harm) >= Math.log(harmAt)) return 'harm';
  if (logEValue(state.promote) >= Math.log(promoteAt)) return 'promote';
  if (state.days < limitDays) return 'continue';
  const goodEnough = state.exposure >= minExposureDays && meanGain(state) > -state.options.margin / 2;
  return goodEnough ? 'undecided-promote' : 'undecided-stop';
}

/** Mean clipped gain of a full day, 0 before any. */
export const meanGain = (state: JudgeState): number => (state.exposure > 0 ? state.gain / state.exposure : 0);

/** The three tests as they stand, and at the limit the rule that decided. */
export function judgeEvidence(state: JudgeState): Evidence[] {
  const { promoteAt, harmAt, margin, limitDays } = state.options;
  const note = `mean gain ${meanGain(state).toPrecision(3)}, ${state.firstDay ?? '–'} to ${state.lastDay ?? '–'}`;
  const test = (name: string, wealth: LogWealth, threshold: number): Evidence => {
    const holds = logEValue(wealth) >= Math.log(threshold);
    const figures = { statistic: finite(eValue(wealth)), threshold, holds, rows: state.rows, days: state.days };
    return { test: name, subject: 'challenger', ...figures, note };
  };
  const evidence = [
    test('not worse by the margin', state.promote, promoteAt),
    test('harm', state.harm, harmAt),
    test('better', state.superior, promoteAt),
  ];
  if (!state.decision.startsWith('undecided')) return evidence;
  const holds = state.decision === 'undecided-promote';
  const rule = {
    test: 'good enough at the limit',
    subject: 'challenger',
    statistic: finite(meanGain(state)),
    threshold: -margin / 2,
    holds,
  };
  return [
    ...evidence,
    { ...rule, rows: state.rows, days: state.days, note: `undecided by the test in ${limitDays} days` },
  ];
}
