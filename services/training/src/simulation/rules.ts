/** A spec's policy as the simulation's rules. */
import { DAY_MS, type HistoryTimes, type LoopRules, type TriggerCondition } from '@driftloop/algorithms';
import { durationMs, type ModelSpec } from '@driftloop/contracts';

/** A replay's tick, and a live clock's at the slowest: a hop of the loop takes one. */
const TICK_MS = 3_600_000;

export function timesOf({ spec }: ModelSpec): HistoryTimes {
  const after = (wait: string) => DAY_MS + durationMs(wait);
  return {
    lead: durationMs(spec.question.lead),
    closing: after(spec.label.closeAfter),
    censoring: after(spec.label.censorAfter),
  };
}

export function rulesOf({ spec }: ModelSpec): LoopRules {
  const { gate, rollout, retraining, monitoring, training } = spec;
  const { deadlines } = retraining;
  return {
    tick: TICK_MS,
    check: durationMs(retraining.check),
    windowDays: Math.max(1, Math.round(durationMs(monitoring.window) / DAY_MS)),
    policy: {
      any: retraining.any as TriggerCondition[],
      cooldownDays: durationMs(retraining.cooldown) / DAY_MS,
      minFreshLabels: retraining.minFreshLabels,
      dailyBudget: retraining.dailyBudget,
      breakerAfter: retraining.breakerAfter,
    },
    training: durationMs(training.duration),
    gate: {
      enabled: gate.enabled,
      confidence: gate.confidence,
      minDays: gate.embargo.minDays,
      minRows: gate.embargo.minRows,
      sliceMinRows: gate.sliceMinRows,
    },
    shadow: { ...rollout.shadow, limitDays: rollout.shadow.maxDays },
    canary: { ...rollout.canary, duration: durationMs(rollout.canary.duration) },
    deadlines: { shadow: durationMs(deadlines.shadow), canary: durationMs(deadlines.canary) },
  };
}
