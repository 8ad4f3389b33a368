/**
 * The calibrator: Platt's line on scores that each come from a model that has not seen the row's days.
 *
 * I1  Folds are blocks of neighbouring days, dealt by a seeded shuffle: rows of a day share weather and congestion, so a
 *     model that has seen half of a day knows the other half too well.
 * I2  Fold models use the twin's parameters on at most FOLD_ROWS rows, evenly spaced over time; the line has two
 *     numbers to find, and docs/decisions say what more rows would change.
 */
import { fitPlatt, predictRaw, Random, selectRows, train } from '@driftloop/algorithms';
import type { ModelSpec } from '@driftloop/contracts';
import { boosterParameters, type Calibrator, type Declared } from './parameters.js';
import { cohortsOf, type TrainingTable, thinned } from './table.js';

const FOLD_ROWS = 45_000;
const BLOCK_DAYS = 3;

/** Each row's fold, by blocks of days. Exported for its test. */
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

/** The calibrator for a recipe, fitted on rows before the embargo. */
export function fitCalibrator(
  table: TrainingTable,
  twinRows: Int32Array,
  parameters: Declared,
  spec: ModelSpec,
): Calibrator {
  const { seed, calibration } = spec.spec.training;
  const { folds } = calibration;
  const rows = thinned(twinRows, FOLD_ROWS);
  const foldOf = foldOfDays(cohortsOf(table, rows), folds, seed);
  const scores: number[] = [];
  const labels: number[] = [];
  for (let fold = 0; fold < folds; fold++) {
    const inside = rows.filter((row) => foldOf.get(table.cohorts[row]) === fold);
    const outside = rows.filter((row) => foldOf.get(table.cohorts[row]) !== fold);
    if (!inside.length || !outside.length) continue;
    const model = train(selectRows(table, outside), boosterParameters(parameters), { seed });
    for (const score of predictRaw(model, selectRows(table, inside))) scores.push(score);
    for (const row of inside) labels.push(table.labels[row]);
  }
  return { ...fitPlatt(Float64Array.from(scores), Uint8Array.from(labels)), rows: scores.length };
}
