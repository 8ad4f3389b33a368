/**
 * The fast stop: the judge's brake for gross harm, on blocks of an hour instead of days. A block's X is its mean δ a row, clipped to ±c = .5; the null is
 * "worse by no more than the margin .015", so E multiplies by 1 + λ(−X − margin)/(c + margin), and E ≥ 100 stops the rollout. It can only stop.
 * Blocks of fewer than 5 rows are skipped: the mean of so few says nothing. Sources: see betting.ts.
 *
 * The blocks of a day share its weather, so that E is a martingale within a day only as far as the day's shock is small: its level is measured, not proven. No harm
 * and a day shock of .03 a row: stopped in 28 days in under 1%; .05: 6%; .07: 17% (with three-hour blocks, c = .1 and margin .01: 2%, 10%, 16%). What is stopped
 * falsely costs a training, so the judge on whole days, whose level is proven, promotes alone.
 * Its power is the champion's lead over the base rate: against shuffled labels it stops over 90% in four days with a lead of .127 a row (simulated, sizes.spec.ts).
 * On the flights, 18 starts over the year with leads of .045 to .19, it stopped shuffled labels in 5 of 18 in four days, 10 in seven, 17 in ten, all in 28 (before:
 * 5, 8, 12, 18), and none of 18 fresh challengers and 9 of the same age in 28 days. Smaller margins and clips are faster and stop falsely where days vary.
 *
 * I1  Pure; JSON state; a block at or before the last one, or after the stop, changes nothing.
 *
 * @example
 * const step = updateFastStop(startFastStop(), { block: '2013-03-01T12:00Z', rows: 40, sum: -3_000_000_000 });
 * step.decision; // 'continue'
 */
import { demand } from '../bad-input.js';
import { NANO } from '../day-sums.js';
import { type Evidence, finite } from '../evidence.js';
import { bet, eValue, type LogWealth, logEValue, openWealth } from './betting.js';

/** The length of a block. */
export const FAST_STOP_BLOCK_MS = 3_600_000;

export interface FastStopOptions {
  /** Default .5. */
  readonly clip?: number;
  /** Default .015 a row. */
  readonly margin?: number;
  /** Default 5. */
  readonly minRows?: number;
  /** Default 100. */
  readonly stopAt?: number;
}

/** Sum of δ in nano-units over a block whose labels are all known; `block` sorts by time as text. */
export interface BlockSum {
  readonly block: string;
  readonly rows: number;
  readonly sum: number;
}

export interface FastStopState {
  readonly options: Required<FastStopOptions>;
  readonly wealth: LogWealth;
  readonly blocks: number;
  readonly skipped: number;
  readonly rows: number;
  readonly lastBlock: string | null;
  readonly decision: 'continue' | 'harm';
}

export interface FastStopStep {
  readonly state: FastStopState;
  readonly decision: 'continue' | 'harm';
  readonly evidence: Evidence[];
}

/** State before the first block. @throws BadInput for options out of range. */
export function startFastStop(options: FastStopOptions = {}): FastStopState {
  const given = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)) as FastStopOptions;
  const o = { clip: 0.5, margin: 0.015, minRows: 5, stopAt: 100, ...given };
  demand(
    o.clip > 0 && o.margin >= 0,
    'fastStop.clip',
    () => `clip ${o.clip}, margin ${o.margin}`,
    'pass a positive clip and a margin of at least 0',
  );
  demand(o.stopAt > 1, 'fastStop.stopAt', () => String(o.stopAt), 'pass a level above 1: 100 is 1%');
  return { options: o, wealth: openWealth(), blocks: 0, skipped: 0, rows: 0, lastBlock: null, decision: 'continue' };
}

/** Takes one block. */
export function updateFastStop(state: FastStopState, { block, rows, sum }: BlockSum): FastStopStep {
  const whole = Number.isSafeInteger(sum) && Number.isSafeInteger(rows) && rows >= 0;
  demand(
    whole,
    'updateFastStop',
    () => `block ${block}: rows ${rows}, sum ${sum}`,
    'pass whole numbers: δ summed in nano-units',
  );
  const stale = state.lastBlock !== null && block <= state.lastBlock;
  const next = stale || state.decision === 'harm' ? state : take(state, block, rows, sum);
  return { state: next, decision: next.decision, evidence: [fastStopEvidence(next)] };
}

function take(state: FastStopState, lastBlock: string, rows: number, sum: number): FastStopState {
  const { clip, margin, minRows, stopAt } = state.options;
  if (rows < Math.max(1, minRows)) return { ...state, lastBlock, skipped: state.skipped + 1 };
  const x = Math.max(-clip, Math.min(clip, sum / NANO / rows));
  const wealth = bet(state.wealth, (-x - margin) / (clip + margin));
  const decision = logEValue(wealth) >= Math.log(stopAt) ? 'harm' : 'continue';
  return { ...state, wealth, decision, lastBlock, blocks: state.blocks + 1, rows: state.rows + rows };
}

/** The test as it stands; `days` counts blocks. */
export function fastStopEvidence(state: FastStopState): Evidence {
  const { wealth, options, rows, blocks, skipped, lastBlock, decision } = state;
  const note = `${blocks} blocks bet, ${skipped} too thin, last ${lastBlock ?? '–'}`;
  const figures = {
    statistic: finite(eValue(wealth)),
    threshold: options.stopAt,
    holds: decision === 'harm',
    rows,
    days: blocks,
  };
  return { test: 'gross harm', subject: 'challenger', ...figures, note };
}
