/**
 * When a cycle opens: by the policy's signals, or at times that were set beforehand. A schedule's trainings take the same course as the policy's, gate and
 * shadow included, so that only the time of training differs; one that falls due while another is open, or before the gate could judge it, waits.
 */
import { calibrationGap } from '../drift/calibration-gap.js';
import { growth } from '../drift/growth.js';
import { decideTrigger } from '../policy/trigger.js';
import type { Random } from '../random.js';
import { DAY_MS, type History } from './history.js';
import type { LoopRules } from './rules.js';
import type { ModelScores } from './scores.js';

/** What is known at a check. */
export interface CheckFacts {
  readonly now: number;
  readonly champion: ModelScores;
  /** What the champion knew, and since when it has answered, in shadow at first. */
  readonly cutoff: number;
  readonly answersSince: number;
  /** Openings of all cycles so far, and of those against this champion. */
  readonly openings: readonly number[];
  readonly attempts: readonly number[];
  readonly failedInARow: number;
}

/** Says which signal opens a cycle now, if any. `feasible`: whether a training now would have enough days to be judged on. */
export type Opener = (facts: CheckFacts, feasible: () => boolean) => string | undefined;

/** The spec's own policy. */
export function byPolicy(history: History, rules: LoopRules): Opener {
  return (facts) => {
    const { now, cutoff, openings, attempts, failedInARow } = facts;
    const fresh = history.freshAt(now, cutoff);
    const last = attempts.at(-1);
    const verdict = decideTrigger(
      {
        growth: growth({ freshLabels: fresh, trainedOn: history.knownBy(cutoff) }),
        calibrationGap: gapOf(history, rules, facts),
        freshLabels: last === undefined ? fresh : Math.min(fresh, history.freshAt(now, last)),
        daysSinceLastCycle: (now - openings[openings.length - 1]) / DAY_MS,
        cyclesOpenedToday: openings.filter((opened) => opened > now - DAY_MS).length,
        failedCycles: failedInARow,
      },
      rules.policy,
    );
    return verdict.retrain ? (verdict.signal ?? undefined) : undefined;
  };
}

function gapOf(history: History, rules: LoopRules, { now, champion, answersSince }: CheckFacts) {
  const days = history.closedBy(now, rules.windowDays).map((day) => {
    const { rows, residual: sum } = champion.dayFrom(day, answersSince);
    return { day: day.name, rows, sum };
  });
  const gap = calibrationGap(days);
  return gap.days ? gap : null;
}

/** Trainings at set times (ascending). */
export function bySchedule(times: readonly number[]): Opener {
  let next = 0;
  return ({ now }, feasible) => {
    if (next >= times.length || now < times[next] || !feasible()) return undefined;
    next++;
    return 'schedule';
  };
}

/** `count` times that cut the span from start to end into equal parts. */
export function calendarTimes(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => start + ((i + 1) * (end - start)) / (count + 1));
}

/** `count` uniform times, ascending. */
export function randomTimes(start: number, end: number, count: number, random: Random): number[] {
  return Array.from({ length: count }, () => random.uniform(start, end)).sort((a, b) => a - b);
}
