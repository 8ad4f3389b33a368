/**
 * Where a simulation starts, and at which cutoffs it may train.
 *
 * I1  Cutoffs are snapped down to a grid of a few days, so that starts and schedules share models: a model knows at most a grid step less than
 *     the loop's would, the same for every alternative, and never more.
 */
import { DAY_MS, type EmbargoedDays, type History } from '@driftloop/algorithms';
import { durationMs, LoopError, type ModelSpec } from '@driftloop/contracts';
import { errors } from '../errors.js';
import { chooseEmbargo } from '../recipe/embargo.js';
import { rowsWhere, type TrainingTable } from '../recipe/table.js';

/** Share of the rows before the first start: what is learned first. */
const WARM_UP = 0.12;
/** Days between starts. */
export const START_STEP = 2;
/** Models that a grid may hold, about. */
const MODELS = 120;
/** Days that must be left to tell policies apart. */
const LEAST_DAYS = 14;

export interface SimulationPlan {
  readonly starts: readonly number[];
  /** Cutoffs of the grid, ascending. */
  readonly grid: readonly number[];
}

/** Throws HISTORY_TOO_SHORT. */
export function planOf(table: TrainingTable, history: History, spec: ModelSpec, jitters: number): SimulationPlan {
  const { days, recorded, rows } = history;
  const from = Math.max(
    recorded.knownAt[Math.floor(rows * WARM_UP)],
    recorded.questionTimes[Math.floor(rows * WARM_UP)],
  );
  const end = recorded.questionTimes[rows - 1];
  const checks = days.map((day) => day.closedAt).filter((check) => check >= from && check <= end);
  const enough = (check: number) =>
    history.knownBy(check) >= spec.spec.retraining.minFreshLabels &&
    embargoAt(table, spec, check, undefined) !== undefined;
  const first = checks.findIndex(enough);
  const left = first < 0 ? 0 : checks.length - first - START_STEP * (jitters - 1);
  if (left < LEAST_DAYS)
    throw errors.HISTORY_TOO_SHORT({
      rows,
      days: days.length,
      needed: `${LEAST_DAYS} days after ${jitters} starts, each with enough to train and judge on`,
    });
  const [origin] = checks.slice(first);
  const starts = Array.from({ length: jitters }, (_, i) => origin + i * START_STEP * DAY_MS);
  const step = Math.max(1, Math.ceil((checks.length - first) / MODELS)) * DAY_MS;
  const grid = [];
  for (let cutoff = origin; cutoff <= end; cutoff += step) grid.push(cutoff);
  return { starts, grid };
}

/** The newest cutoff of the grid at or before a time; the first where there is none. */
export function snapped(grid: readonly number[], time: number): number {
  return grid.findLast((cutoff) => cutoff <= time) ?? grid[0];
}

/** The recipe's own choice of days to judge on, as of a cutoff; undefined where they are too few. */
export function embargoAt(
  table: TrainingTable,
  spec: ModelSpec,
  knowledge: number,
  champion: number | undefined,
): EmbargoedDays | undefined {
  const known = rowsWhere(table, (row) => table.knownAt[row] <= knowledge);
  const part = (values: Float64Array) => Float64Array.from(known, (row) => values[row]);
  const asKnown = { ...table, rows: known.length, knownAt: part(table.knownAt), cohorts: part(table.cohorts) };
  try {
    const { start, days } = chooseEmbargo(asKnown, spec, { knowledge, champion });
    return { days, twinCutoff: start - durationMs(spec.spec.question.lead) };
  } catch (error) {
    if (error instanceof LoopError && error.code === 'INSUFFICIENT_DATA') return undefined;
    throw error;
  }
}
