/**
 * The comparison: a policy over jittered starts, beside schedules with as many trainings, all through the same gate and shadow.
 *
 * The schedule of one path is luck as large as most policies' effect, so a policy is judged by the mean over several starts, and by the difference to it
 * of each alternative from the same start. An interval tells of the luck of the schedule's phase on this history; it says nothing of another year.
 */
import { Random } from '../random.js';
import { figuresOf, type RunFigures } from './figures.js';
import type { History } from './history.js';
import { type MeanInterval, meanInterval } from './interval.js';
import { runLoop, type SimulatedRun, type Trainings } from './loop.js';
import { byPolicy, bySchedule, calendarTimes, type Opener, randomTimes } from './opening.js';
import type { LoopRules } from './rules.js';

export const ALTERNATIVES = ['policy', 'calendar', 'random', 'frozen'] as const;
export type Alternative = (typeof ALTERNATIVES)[number];

/** Draws of a random schedule a start; their mean stands for the start. */
const DRAWS = 4;

export interface SimulationOptions {
  /** Times of first trainings, at checks. */
  readonly starts: readonly number[];
  readonly seed: number;
  /** Hears after each start how many are done. */
  readonly onStart?: (done: number, of: number) => void;
}

/** One alternative from one start; counts and figures are means over its draws. */
export interface StartResult extends RunFigures {
  /** The first training included. */
  readonly trainings: number;
  readonly promoted: number;
  readonly refused: number;
  readonly runs: readonly SimulatedRun[];
}

export interface SimulatedAlternative {
  readonly name: Alternative;
  readonly trainings: number;
  readonly promoted: number;
  /** Refused, rolled back, failed and expired. */
  readonly refused: number;
  readonly logLoss: MeanInterval;
  readonly auc: number;
  readonly brier: number;
  /** Log loss minus the policy's, paired by start. */
  readonly difference: MeanInterval;
  readonly byStart: readonly StartResult[];
}

/** The table. */
export async function simulate(
  history: History,
  rules: LoopRules,
  trainings: Trainings,
  { starts, seed, onStart }: SimulationOptions,
): Promise<SimulatedAlternative[]> {
  const results: Record<Alternative, StartResult[]> = { policy: [], calendar: [], random: [], frozen: [] };
  const end = history.recorded.questionTimes[history.rows - 1];
  const random = new Random(seed);
  for (const [i, start] of starts.entries()) {
    const run = (opener: Opener) => runLoop(history, rules, trainings, start, opener);
    const own = await run(byPolicy(history, rules));
    const count = own.cycles.length;
    const draws = Array.from({ length: DRAWS }, (_, d) => randomTimes(start, end, count, random.fork(`${i}/${d}`)));
    results.policy.push(resultOf(history, rules, [own]));
    results.calendar.push(resultOf(history, rules, [await run(bySchedule(calendarTimes(start, end, count)))]));
    const drawn: SimulatedRun[] = [];
    for (const times of draws) drawn.push(await run(bySchedule(times)));
    results.random.push(resultOf(history, rules, drawn));
    results.frozen.push(resultOf(history, rules, [await run(() => undefined)]));
    onStart?.(i + 1, starts.length);
  }
  return ALTERNATIVES.map((name) => summary(name, results[name], results.policy));
}

function resultOf(history: History, rules: LoopRules, runs: readonly SimulatedRun[]): StartResult {
  const figures = runs.map((run) => figuresOf(history, run, rules.canary.percent));
  const count = (outcomes: readonly string[]) =>
    mean(runs.map(({ cycles }) => cycles.filter(({ outcome }) => outcomes.includes(outcome)).length));
  return {
    rows: figures[0].rows,
    logLoss: mean(figures.map((f) => f.logLoss)),
    auc: mean(figures.map((f) => f.auc)),
    brier: mean(figures.map((f) => f.brier)),
    trainings: 1 + mean(runs.map(({ cycles }) => cycles.length)),
    promoted: 1 + count(['promoted']),
    refused: count(['refused', 'rolled_back', 'failed', 'expired']),
    runs,
  };
}

function summary(
  name: Alternative,
  byStart: readonly StartResult[],
  policy: readonly StartResult[],
): SimulatedAlternative {
  const over = (of: (result: StartResult) => number) => mean(byStart.map(of));
  return {
    name,
    trainings: over((r) => r.trainings),
    promoted: over((r) => r.promoted),
    refused: over((r) => r.refused),
    logLoss: meanInterval(byStart.map((r) => r.logLoss)),
    auc: over((r) => r.auc),
    brier: over((r) => r.brier),
    difference: meanInterval(byStart.map((r, i) => r.logLoss - policy[i].logLoss)),
    byStart,
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
