/** The rules that a simulated loop goes by: a spec's policy, gate and rollout, with every duration in ms. */
import type { TriggerPolicy } from '../policy/trigger.js';

export interface LoopRules {
  /** How often time passes: a hop of the loop takes one tick. */
  readonly tick: number;
  /** How often the policy is asked, from a day's closing on. */
  readonly check: number;
  /** Closed days that the signals look back on. */
  readonly windowDays: number;
  readonly policy: TriggerPolicy;
  /** Declared duration of a training. */
  readonly training: number;
  readonly gate: {
    readonly enabled: boolean;
    readonly confidence: number;
    readonly minDays: number;
    readonly minRows: number;
    readonly sliceMinRows: number;
  };
  readonly shadow: {
    readonly margin: number;
    readonly clip: number;
    readonly promoteAt: number;
    readonly harmAt: number;
    readonly limitDays: number;
  };
  readonly canary: { readonly percent: number; readonly duration: number; readonly minPredictions: number };
  readonly deadlines: { readonly shadow: number; readonly canary: number };
}

/** The first tick at or after a time. */
export const tickAt = (rules: LoopRules, time: number): number => Math.ceil(time / rules.tick) * rules.tick;

/** The newest days, which neither champion nor twin has seen. */
export interface EmbargoedDays {
  /** First instants, ascending. */
  readonly days: readonly number[];
  /** What the twin may know, epoch ms. */
  readonly twinCutoff: number;
}
