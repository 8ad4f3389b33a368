/**
 * The search: a few seeded trials around the declared parameters, on the newest rows before the embargo, judged on the
 * last days of those. Days differ more than recipes do, so a trial must beat the declared parameters by more than one
 * standard error by day to replace them (the one-standard-error rule of Breiman et al., CART, 1984, §3.4.3). A trial's trees
 * are counted on the days that judge it, which flatters it a little; the gate, on later days, does not.
 *
 * I1  Trial i is the same for the same rows, spec and seed, whatever ran before: a job resumes after any trial.
 */
import { compareBlocks, type DaySum, pairedLoss, predict, Random, selectRows, train } from '@driftloop/algorithms';
import type { ModelSpec } from '@driftloop/contracts';
import { boosterParameters, type Declared, type Trial } from './parameters.js';
import { cohortsOf, type TrainingTable } from './table.js';

/** Days held back for validation, and the share of the days that this may be at most. */
const VALIDATION_DAYS = 7;
const VALIDATION_SHARE = 1 / 3;
/** A trial is adopted when its t is above this. */
const ADOPT_AT = 1;

const grid: Partial<Record<keyof Declared, readonly number[]>> = {
  leaves: [7, 15, 31],
  minRowsPerLeaf: [50, 100, 200, 400],
  learningRate: [0.02, 0.03, 0.05],
  columnSampling: [0.25, 0.4, 0.6],
  l2: [1, 10, 30],
};

/** The parameters of trial i; trial 0 is the declared ones. */
export function trialParameters(declared: Declared, trial: number, seed: number): Declared {
  if (trial === 0) return declared;
  const random = new Random(`${seed}/search/${trial}`);
  const drawn = Object.entries(grid).map(([name, values]) => [name, values[random.integer(values.length)]]);
  return { ...declared, ...Object.fromEntries(drawn) };
}

/** The parameters to run after a search: the best trial above the bar, or the declared ones. */
export function adopted(declared: Declared, trials: readonly Trial[]): Declared {
  const best = trials.reduce<Trial | undefined>(
    (top, trial) => (trial.t > (top?.t ?? ADOPT_AT) ? trial : top),
    undefined,
  );
  return best?.parameters ?? declared;
}

/** Runs the trials that are not done yet; `onTrial` hears each. */
export function search(
  table: TrainingTable,
  rows: Int32Array,
  spec: ModelSpec,
  done: readonly Trial[],
  onTrial: (trials: readonly Trial[]) => void,
): Declared {
  const { parameters: declared, search: limits, seed } = spec.spec.training;
  const trials = [...done];
  if (limits.trials > 1 && trials.length < limits.trials) {
    const split = validationSplit(table, rows.slice(-limits.rows));
    if (split) runTrials(table, split, declared, seed, limits.trials, trials, onTrial);
  }
  return adopted(declared, trials);
}

interface Split {
  readonly learned: Int32Array;
  readonly judged: Int32Array;
}

/** The last days judge; null when there are too few days to hold any back. */
function validationSplit(table: TrainingTable, rows: Int32Array): Split | null {
  const days = [...new Set(cohortsOf(table, rows))].sort((a, b) => a - b);
  const held = Math.min(VALIDATION_DAYS, Math.floor(days.length * VALIDATION_SHARE));
  if (held < 2) return null;
  const from = days[days.length - held];
  return {
    learned: rows.filter((row) => table.cohorts[row] < from),
    judged: rows.filter((row) => table.cohorts[row] >= from),
  };
}

function runTrials(
  table: TrainingTable,
  split: Split,
  declared: Declared,
  seed: number,
  count: number,
  trials: Trial[],
  onTrial: (trials: readonly Trial[]) => void,
): void {
  const learned = selectRows(table, split.learned);
  const judged = selectRows(table, split.judged);
  const days = cohortsOf(table, split.judged);
  const run = (trial: number) => {
    const tried = trialParameters(declared, trial, seed);
    const longer = { ...tried, trees: trial === 0 ? tried.trees : 2 * tried.trees };
    const validation = trial === 0 ? undefined : judged;
    const model = train(learned, boosterParameters(longer, learned.rows, trial === 0), { seed, validation });
    return { parameters: { ...tried, trees: Math.max(1, model.treeCount) }, scores: predict(model, judged) };
  };
  const base = run(0);
  for (let trial = trials.length; trial < count; trial++) {
    const { parameters, scores } = trial === 0 ? base : run(trial);
    const judgement = compare(base.scores, scores, judged.labels as Uint8Array, days);
    trials.push({ parameters, ...judgement });
    onTrial(trials);
  }
}

function compare(base: Float64Array, tried: Float64Array, labels: Uint8Array, days: ArrayLike<number>) {
  const sums: DaySum[] = [];
  let loss = 0;
  for (let i = 0; i < labels.length; i++) {
    const y = labels[i] as 0 | 1;
    sums.push({ day: new Date(days[i]).toISOString(), rows: 1, sum: pairedLoss(base[i], tried[i], y) });
    loss -= Math.log(y ? tried[i] : 1 - tried[i]);
  }
  return { loss: loss / labels.length, t: compareBlocks(sums).t };
}
