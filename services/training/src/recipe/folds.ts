/**
 * The calibrator: Platt's line on scores that each come from a model that has not seen the row's days, if it helps.
 *
 * I1  Folds are blocks of neighbouring days, dealt by a seeded shuffle: rows of a day share weather and congestion, so a
 *     model that has seen half of a day knows the other half too well.
 * I2  Fold models use the twin's parameters on at most FOLD_ROWS rows, evenly spaced over time.
 * I3  The line is used when lines fitted to the other folds lower a fold's loss by more than one standard error by day;
 *     otherwise scores stay log-odds as they are. Fold models know less than the model they stand for, so a line that
 *     is not clearly needed does harm: on the flights .0005 of log loss over the year.
 */
import {
  calibrate,
  compareBlocks,
  type DaySum,
  fitPlatt,
  IDENTITY,
  type PlattCalibrator,
  pairedLoss,
  predictRaw,
  Random,
  selectRows,
  train,
} from '@driftloop/algorithms';
import type { ModelSpec } from '@driftloop/contracts';
import { boosterParameters, type Calibrator, type Declared } from './parameters.js';
import { cohortsOf, type TrainingTable, thinned } from './table.js';

const FOLD_ROWS = 30_000;
const BLOCK_DAYS = 3;
const ADOPT_AT = 1;

/** Out-of-fold scores of one fold. */
interface Fold {
  readonly scores: Float64Array;
  readonly labels: Uint8Array;
  readonly days: Float64Array;
}

/** Each day's fold, by blocks of days. */
export function foldOfDays(days: ArrayLike<number>, folds: number, seed: number): Map<number, number> {
  const distinct = [...new Set(Array.from(days))].sort((a, b) => a - b);
  const blocks = Math.max(folds, Math.ceil(distinct.length / BLOCK_DAYS));
  const order = new Random(`${seed}/folds`).shuffle(Array.from({ length: blocks }, (_, block) => block));
  const fold = new Array<number>(blocks);
  order.forEach((block, i) => {
    fold[block] = i % folds;
  });
  return new Map(distinct.map((day, i) => [day, fold[Math.floor((i * blocks) / distinct.length)]]));
}

/** The calibrator for a recipe, from rows before the embargo. */
export function fitCalibrator(
  table: TrainingTable,
  twinRows: Int32Array,
  parameters: Declared,
  spec: ModelSpec,
): Calibrator {
  const folds = scoreFolds(table, thinned(twinRows, FOLD_ROWS), parameters, spec);
  const rows = folds.reduce((sum, { labels }) => sum + labels.length, 0);
  if (folds.length < 2) return { ...IDENTITY, rows, t: 0 };
  const { t } = compareBlocks(folds.flatMap((fold) => gains(fold, fitLine(folds.filter((other) => other !== fold)))));
  return { ...(t > ADOPT_AT ? fitLine(folds) : IDENTITY), rows, t: Number.isNaN(t) ? 0 : t };
}

function scoreFolds(table: TrainingTable, rows: Int32Array, parameters: Declared, spec: ModelSpec): Fold[] {
  const { seed, calibration } = spec.spec.training;
  const foldOf = foldOfDays(cohortsOf(table, rows), calibration.folds, seed);
  return Array.from({ length: calibration.folds }, (_, fold) => fold).flatMap((fold) => {
    const inside = rows.filter((row) => foldOf.get(table.cohorts[row]) === fold);
    const outside = rows.filter((row) => foldOf.get(table.cohorts[row]) !== fold);
    if (!inside.length || !outside.length) return [];
    const model = train(selectRows(table, outside), boosterParameters(parameters, outside.length), { seed });
    const held = selectRows(table, inside);
    return [{ scores: predictRaw(model, held), labels: held.labels as Uint8Array, days: cohortsOf(table, inside) }];
  });
}

function fitLine(folds: readonly Fold[]): PlattCalibrator {
  const scores = folds.flatMap((fold) => Array.from(fold.scores));
  const labels = folds.flatMap((fold) => Array.from(fold.labels));
  return fitPlatt(scores, labels);
}

/** Day sums of loss(as it is) − loss(with the line): positive where the line helps. */
function gains({ scores, labels, days }: Fold, line: PlattCalibrator): DaySum[] {
  const plain = calibrate(IDENTITY, scores);
  const calibrated = calibrate(line, scores);
  return Array.from(labels, (y, i) => ({
    day: new Date(days[i]).toISOString(),
    rows: 1,
    sum: pairedLoss(plain[i], calibrated[i], y as 0 | 1),
  }));
}
