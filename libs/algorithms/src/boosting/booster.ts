/**
 * Histogram gradient boosting (Friedman, Annals of Statistics 2001; the histogram method of LightGBM, Ke et al., NeurIPS 2017):
 * repeatedly fits a small tree to the loss's derivatives at the present scores and adds it.
 *
 * I1  Same dataset, parameters and seed give the same model bit for bit; the order of columns and of dictionaries does not matter.
 * I2  Nothing passed in is changed.
 *
 * @example
 * const model = train(history, { trees: 300 }, { seed: 1, validation: embargo });
 * const logOdds = predictRaw(model, questions);
 */
import { BadInput, demand } from '../bad-input.js';
import { Random } from '../random.js';
import { type BinnedRows, type ColumnBins, encode, makeBins } from './bins.js';
import { type Column, checkDataset, type Dataset, matchColumns } from './dataset.js';
import { TreeGrower } from './grow.js';
import { type Loss, logistic, MAX_ROWS, squared } from './loss.js';
import type { BoosterModel, BoosterTree, ModelFeature } from './model.js';
import { type BoosterParameters, resolveParameters } from './parameters.js';
import { drawColumns, drawRows } from './sampling.js';

export interface TrainingOptions {
  /** The only source of chance. */
  readonly seed: number | string;
  /** For early stopping; must have the training set's columns, by name and kind. */
  readonly validation?: Dataset;
  /** Called after each tree, with the validation loss where there is a validation set; return false to stop with the trees so far. */
  readonly onTree?: (trees: number, validationLoss: number | undefined) => boolean | undefined;
}

/** A validation set in training: its bins, scores and the best loss so far. */
class Watch {
  readonly #rows: Int32Array;
  readonly #scores: Float64Array;
  best = Infinity;
  bestTrees = 0;
  loss = Infinity;

  constructor(
    private readonly data: BinnedRows,
    private readonly labels: ArrayLike<number>,
    private readonly measure: Loss,
    baseScore: number,
  ) {
    this.#rows = Int32Array.from({ length: data.rows }, (_, row) => row);
    this.#scores = new Float64Array(data.rows).fill(baseScore);
    this.best = this.loss = measure.mean(this.#scores, labels);
  }

  add(tree: { addTo(scores: Float64Array, data: BinnedRows, rows: Int32Array): void }, trees: number): void {
    tree.addTo(this.#scores, this.data, this.#rows);
    this.loss = this.measure.mean(this.#scores, this.labels);
    if (this.loss < this.best) {
      this.best = this.loss;
      this.bestTrees = trees;
    }
  }
}

/**
 * Trains a model.
 * @param dataset one row an example; at least one row and one column; values finite in float32 or NaN
 * @throws BadInput for bad parameters or data, naming what and where
 */
export function train(
  dataset: Dataset,
  parameters: Partial<BoosterParameters>,
  options: TrainingOptions,
): BoosterModel {
  const resolved = resolveParameters(parameters);
  const loss = resolved.loss === 'logistic' ? logistic : squared;
  checkTrainingSet(dataset, resolved, options.validation);
  const bins = makeBins(dataset, resolved);
  const baseScore = Math.fround(loss.baseScore(dataset.labels));
  const watch =
    options.validation && new Watch(encode(options.validation, bins), options.validation.labels, loss, baseScore);
  const trees = isConstant(dataset.labels) ? [] : boost(dataset, bins, resolved, loss, baseScore, watch, options);
  return {
    format: 'driftloop-booster/1',
    loss: resolved.loss,
    features: dataset.columns.map((column) => toFeature(bins.find(({ name }) => name === column.name) as ColumnBins)),
    baseScore,
    trees,
    treeCount: trees.length,
    parameters: resolved,
    seed: options.seed,
    trainedRows: dataset.rows,
    ...(watch && { validationLoss: resolved.earlyStoppingRounds > 0 ? watch.best : watch.loss }),
  };
}

/** The loop of the method: derivatives, tree, scores, stop? */
function boost(
  dataset: Dataset,
  bins: readonly ColumnBins[],
  parameters: BoosterParameters,
  loss: Loss,
  baseScore: number,
  watch: Watch | undefined,
  { seed, onTree }: TrainingOptions,
): BoosterTree[] {
  const { rows, labels } = dataset;
  const data = encode(dataset, bins);
  const place = Int32Array.from(bins, ({ name }) => dataset.columns.findIndex((column) => column.name === name));
  const grower = new TreeGrower(bins, data, parameters);
  const scores = new Float64Array(rows).fill(baseScore);
  const byRow = new Float64Array(2 * rows);
  const ordered = new Float64Array(2 * rows);
  const random = new Random(seed);
  const trees: BoosterTree[] = [];
  while (trees.length < parameters.trees) {
    const columns = drawColumns(bins.length, parameters.columnSampling, random);
    const { drawn, rest } = drawRows(rows, parameters.rowSampling, random);
    const units = loss.units(scores, labels);
    loss.derivatives(scores, labels, drawn, units, ordered, byRow);
    const tree = grower.grow({ rows: drawn, columns, byRow, ordered, units }, scores);
    tree.addTo(scores, data, rest);
    trees.push(tree.toModel(place));
    watch?.add(tree, trees.length);
    if (onTree?.(trees.length, watch?.loss) === false) break;
    const patience = parameters.earlyStoppingRounds;
    if (watch && patience > 0 && trees.length - watch.bestTrees >= patience) break;
  }
  return watch && parameters.earlyStoppingRounds > 0 ? trees.slice(0, watch.bestTrees) : trees;
}

function toFeature(bins: ColumnBins): ModelFeature {
  return bins.kind === 'numeric'
    ? { name: bins.name, kind: 'numeric', ...(bins.precision && { precision: bins.precision }) }
    : { name: bins.name, kind: 'categorical', categories: bins.categories };
}

function isConstant(labels: ArrayLike<number>): boolean {
  for (let i = 1; i < labels.length; i++) if (labels[i] !== labels[0]) return false;
  return true;
}

function checkTrainingSet(dataset: Dataset, { loss }: BoosterParameters, validation?: Dataset): void {
  checkDataset(dataset, loss);
  demand(dataset.rows > 0, 'dataset', () => 'it has no rows', 'train on at least one row');
  demand(dataset.rows <= MAX_ROWS, 'dataset', () => `it has ${dataset.rows} rows`, `train on at most ${MAX_ROWS} rows`);
  demand(dataset.columns.length > 0, 'dataset', () => 'it has no columns', 'pass at least one column');
  checkFloat32(dataset.columns);
  if (!validation) return;
  checkDataset(validation, loss, 'validation');
  demand(validation.rows > 0, 'validation', () => 'it has no rows', 'pass rows, or leave it out');
  checkFloat32(validation.columns);
  matchColumns(dataset.columns, validation.columns, 'validation');
}

/** An infinity has no place between two edges, and a value that rounds to one in float32 neither. */
function checkFloat32(columns: readonly Column[]): void {
  for (const column of columns) {
    if (column.kind === 'categorical') continue;
    for (let row = 0; row < column.values.length; row++)
      if (Math.abs(column.values[row]) > 3.4e38)
        throw new BadInput(
          `column ${column.name}`,
          `row ${row} holds ${column.values[row]}`,
          'pass values within ±3.4e38, or NaN where one is missing',
        );
  }
}
