/**
 * The loop, replayed over recorded history from a first training on: checks day by day, one open cycle at a time, and who answered when.
 *
 * I1  Nothing that a check or verdict uses was unknown at its time.
 * I2  The same history, rules, trainings and opener give the same run.
 */
import { type CycleCourse, courseOf, failedCourse } from './cycle.js';
import type { History } from './history.js';
import type { Opener } from './opening.js';
import { type EmbargoedDays, type LoopRules, tickAt } from './rules.js';
import type { ModelScores } from './scores.js';

/** Where trained models come from. */
export interface Trainings {
  /** The days that a training at a cutoff would be judged on, against a champion that knew `champion`; undefined where they are too few. */
  embargo(knowledge: number, champion: number): EmbargoedDays | undefined;
  /** The model that a training with this cutoff makes, or the nearest earlier one that is kept. */
  model(knowledge: number): Promise<ModelScores>;
}

export interface SimulatedCycle extends CycleCourse {
  readonly signal: string;
  readonly opened: number;
}

/** From `since` on this model answers; `share` of the questions where another is canary. */
export interface Service {
  readonly since: number;
  readonly scores: ModelScores;
  readonly canary?: { readonly from: number; readonly to: number; readonly scores: ModelScores };
}

export interface SimulatedRun {
  /** The first training: its cutoff, and when its model began to answer. */
  readonly start: number;
  readonly served: readonly Service[];
  /** Those after the first training. */
  readonly cycles: readonly SimulatedCycle[];
}

interface State {
  scores: ModelScores;
  cutoff: number;
  answersSince: number;
  attempts: number[];
  failedInARow: number;
  /** A promotion on its way: the policy sees it when its cycle closes. */
  pending?: { scores: ModelScores; cutoff: number; answersSince: number };
}

const failures: readonly string[] = ['refused', 'rolled_back', 'failed', 'expired'];

/** Runs from a first training at `start` to the end of history. */
export async function runLoop(
  history: History,
  rules: LoopRules,
  trainings: Trainings,
  start: number,
  opener: Opener,
): Promise<SimulatedRun> {
  const first = await trainings.model(start);
  const answersSince = tickAt(rules, start + 1) + rules.tick;
  const state: State = { scores: first, cutoff: start, answersSince, attempts: [], failedInARow: 0 };
  const served: Service[] = [{ since: answersSince, scores: first }];
  const cycles: SimulatedCycle[] = [];
  const end = history.recorded.questionTimes[history.rows - 1];
  let free = answersSince + rules.tick;
  for (let check = checkAfter(history, rules, start); check <= end; check += rules.check) {
    const now = tickAt(rules, check);
    if (now < free) continue;
    if (state.pending) {
      Object.assign(state, { ...state.pending, attempts: [], failedInARow: 0, pending: undefined });
    }
    const embargo = () => trainings.embargo(now, state.cutoff);
    const openings = [start, ...cycles.map((cycle) => cycle.opened)];
    const { scores: champion, cutoff, attempts, failedInARow } = state;
    const facts = { now, champion, cutoff, answersSince: state.answersSince, openings, attempts, failedInARow };
    const signal = opener(facts, () => embargo() !== undefined);
    if (signal === undefined) continue;
    const cycle = { signal, opened: now, ...(await take(history, rules, trainings, state, now, embargo())) };
    cycles.push(cycle);
    state.attempts = [...attempts, now];
    if (failures.includes(cycle.outcome)) state.failedInARow++;
    await follow(state, served, cycle, trainings);
    free = cycle.closedAt;
  }
  return { start, served, cycles };
}

/** The checks' grid goes by the closing of days. */
function checkAfter({ days }: History, { check }: LoopRules, start: number): number {
  const phase = days[0].closedAt;
  return phase + (Math.floor((start - phase) / check) + 1) * check;
}

async function take(
  history: History,
  rules: LoopRules,
  trainings: Trainings,
  { scores: champion }: State,
  now: number,
  embargo: EmbargoedDays | undefined,
): Promise<CycleCourse> {
  if (!embargo) return failedCourse(rules, now, 'too few closed days that the champion has not seen');
  const twin = await trainings.model(embargo.twinCutoff);
  const released = await trainings.model(now);
  return courseOf(history, rules, now, { champion, twin, released, embargo });
}

async function follow(state: State, served: Service[], cycle: SimulatedCycle, trainings: Trainings): Promise<void> {
  const { canaryAt, promotedAt, shadowAt, opened } = cycle;
  if (canaryAt === undefined) return;
  const scores = await trainings.model(opened);
  const current = served[served.length - 1];
  served[served.length - 1] = { ...current, canary: { from: canaryAt, to: promotedAt ?? cycle.closedAt, scores } };
  if (promotedAt === undefined) return;
  served.push({ since: promotedAt, scores });
  state.pending = { scores, cutoff: opened, answersSince: shadowAt as number };
}
