/**
 * The training, start to end, as a pure function of its inputs (design §3.19):
 *
 *   embargo → search? → twin → calibrator → refit on all rows → graphs → score champion and twin → figures
 *
 * I1  Same table, spec, cutoffs and champion: same bytes and figures.
 * I2  Search, twin and calibrator see nothing that was not known before the first embargoed question.
 * I3  What a checkpoint holds is not computed again.
 */
import {
  type BoosterModel,
  calibrate,
  type Features,
  gainImportance,
  predictRaw,
  selectRows,
  train,
} from '@driftloop/algorithms';
import { type Comparison, canonicalJson, type Metric, type ModelSpec, type Reference } from '@driftloop/contracts';
import { boosterGraph, PROBABILITY_FLOOR } from '@driftloop/onnx';
import { errors } from '../errors.js';
import { dayScores, featureScores, sliceScores } from './compare.js';
import { type Cutoffs, chooseEmbargo, type Embargo } from './embargo.js';
import { figuresOf } from './figures.js';
import { fitCalibrator } from './folds.js';
import { boosterParameters, type Calibrator, type Declared, inherited, type Recipe, type Trial } from './parameters.js';
import { referenceOf } from './reference.js';
import { scoreGraph } from './score.js';
import { search } from './search.js';
import { positiveRate, type TrainingTable } from './table.js';

/** Greatest difference between a trainer's probabilities and its graph's. */
const GRAPH_TOLERANCE = 1e-5;

export interface RecipeInput {
  readonly table: TrainingTable;
  readonly spec: ModelSpec;
  readonly cutoffs: Cutoffs;
  readonly champion: { readonly version: string; readonly bytes: Uint8Array; readonly recipeJson?: string };
  readonly codeVersion: string;
}

/** What has been done already, plain JSON: a job that comes back goes on from here. */
export interface Checkpoint {
  trials?: readonly Trial[];
  parameters?: Declared;
  calibrator?: Calibrator;
  twin?: BoosterModel;
  released?: BoosterModel;
}

export interface RecipeResult {
  readonly recipe: Recipe;
  readonly embargoStart: number;
  readonly released: Uint8Array;
  readonly twin: Uint8Array;
  readonly metrics: Metric[];
  readonly comparison: Comparison;
  readonly reference: Reference;
  readonly graphError: number;
}

/** Hears each step as it is done, with what the checkpoint now holds anew. */
export type OnStep = (step: keyof Checkpoint, value: unknown) => void;

/** Trains a candidate. Throws INSUFFICIENT_DATA, ONE_CLASS or GRAPH_MISMATCH. */
export async function runRecipe(input: RecipeInput, checkpoint: Checkpoint, onStep: OnStep): Promise<RecipeResult> {
  const { table, spec } = input;
  const embargo = chooseEmbargo(table, spec, input.cutoffs);
  checkClasses(table, embargo);
  const done = { ...checkpoint };
  const step = <K extends keyof Checkpoint>(
    name: K,
    make: () => NonNullable<Checkpoint[K]>,
  ): NonNullable<Checkpoint[K]> => {
    const held = done[name];
    if (held !== undefined) return held as NonNullable<Checkpoint[K]>;
    const made = make();
    done[name] = made;
    onStep(name, made);
    return made;
  };
  const before = inherited(input.champion.recipeJson, spec);
  const parameters = step('parameters', () => before?.parameters ?? searched(input, embargo, done, onStep));
  const { seed } = spec.spec.training;
  const grow = (rows: Int32Array | null) =>
    train(rows ? selectRows(table, rows) : table, boosterParameters(parameters, rows?.length ?? table.rows), { seed });
  const twin = step('twin', () => grow(embargo.twinRows));
  const calibrator = step('calibrator', () => fitCalibrator(table, embargo.twinRows, parameters, spec));
  const released = step('released', () => grow(null));
  const trials = before?.trials ?? done.trials ?? [];
  return finish(input, embargo, { parameters, trials, calibrator }, twin, released);
}

function searched({ table, spec }: RecipeInput, { twinRows }: Embargo, done: Checkpoint, onStep: OnStep): Declared {
  return search(table, twinRows, spec, done.trials ?? [], (trials) => {
    done.trials = trials;
    onStep('trials', trials);
  });
}

function checkClasses(table: TrainingTable, { rows, twinRows }: Embargo): void {
  for (const [part, of] of [
    ['training', twinRows],
    ['embargo', rows],
  ] as const) {
    const rate = positiveRate(table.labels, of);
    if (rate === 0 || rate === 1) throw errors.ONE_CLASS({ rows: of.length, part, label: rate });
  }
}

type Ran = Pick<Recipe, 'parameters' | 'trials' | 'calibrator'>;

async function finish(
  { table, spec, champion, codeVersion }: RecipeInput,
  embargo: Embargo,
  ran: Ran,
  twinModel: BoosterModel,
  releasedModel: BoosterModel,
): Promise<RecipeResult> {
  const [released, twin] = [releasedModel, twinModel].map((m) =>
    boosterGraph(m, ran.calibrator, spec, { codeVersion }),
  );
  const scores = {
    champion: await scoreGraph(champion.bytes, table, embargo.rows),
    twin: await scoreGraph(twin, table, embargo.rows),
  };
  if (!scores.champion.every(Number.isFinite))
    throw errors.CHAMPION_UNUSABLE({
      model: spec.metadata.name,
      version: champion.version,
      found: 'it answers some rows with something that is not a number',
    });
  const releasedScores = await scoreGraph(released, table, embargo.rows);
  const rows = selectRows(table, embargo.rows);
  const graphError = Math.max(
    mismatch('twin', scores.twin, trainerProbabilities(twinModel, ran.calibrator, rows)),
    mismatch('released', releasedScores, trainerProbabilities(releasedModel, ran.calibrator, rows)),
  );
  const figures = figuresOf(scores.twin, rows.labels as Uint8Array);
  const gainShare = new Map(gainImportance(twinModel).map(({ name, gain }) => [name, gain]));
  return {
    recipe: {
      recipe: 'boosting',
      declared: spec.spec.training.parameters,
      ...ran,
      rows: { released: table.rows, twin: embargo.twinRows.length, embargo: embargo.rows.length },
    },
    embargoStart: embargo.start,
    released,
    twin,
    metrics: figures.metrics,
    comparison: {
      champion: champion.version,
      days: dayScores(table, embargo, scores),
      slices: sliceScores(table, embargo, scores, spec),
      features: featureScores(table, gainShare),
    },
    reference: referenceOf(table, embargo, scores.twin, figures, spec),
    graphError,
  };
}

/** The trainer's own probabilities, calibrated and kept off 0 and 1 as the graph does. */
function trainerProbabilities(model: BoosterModel, calibrator: Calibrator, rows: Features): Float64Array {
  const probabilities = calibrate(calibrator, predictRaw(model, rows));
  return probabilities.map((p) => Math.min(1 - PROBABILITY_FLOOR, Math.max(PROBABILITY_FLOOR, p)));
}

/** The largest difference. Throws GRAPH_MISMATCH above the tolerance, or where either is not a number. */
export function mismatch(graph: string, found: Float64Array, expected: Float64Array): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i] - expected[i]);
    // A NaN stays, and is above every limit.
    worst = Math.max(worst, difference);
    if (!(worst <= GRAPH_TOLERANCE)) break;
  }
  if (!(worst <= GRAPH_TOLERANCE)) throw errors.GRAPH_MISMATCH({ graph, difference: worst, limit: GRAPH_TOLERANCE });
  return worst;
}

/** The recipe as the lineage keeps it. */
export const recipeJson = (recipe: Recipe): string => canonicalJson(recipe);
