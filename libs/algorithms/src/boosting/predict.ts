/**
 * Prediction from the model's JSON, in values, and the attribution of a prediction to its features.
 *
 * I1  Inputs are rounded to float32 before they are compared, unless the feature is of double precision (model.ts, I1); sums are in float64, in the order of the trees.
 * I2  Columns are found by name, categories by their text; columns that the model does not know are ignored.
 */

import { categoryIndex } from './bins.js';
import { checkFeatures, type Features, matchColumns } from './dataset.js';
import { type BoosterModel, type BoosterTree, checkModel, isDouble } from './model.js';

/** A feature's cells as numbers: values, or indices into the model's categories with `other` = their number. */
type Cells = Float64Array | Float32Array | Int32Array;

/** Rows for which one tree is walked before the next: their scores and cells stay in the cache. */
const BLOCK = 2048;

function readCells(model: BoosterModel, data: Features): Cells[] {
  checkModel(model);
  checkFeatures(data);
  matchColumns(model.features, data.columns, 'dataset');
  const byName = new Map(data.columns.map((column) => [column.name, column]));
  return model.features.map((feature) => {
    const column = byName.get(feature.name);
    if (column?.kind === 'numeric') return isDouble(feature) ? column.values : Float32Array.from(column.values);
    if (column?.kind !== 'categorical' || feature.kind !== 'categorical') throw new TypeError(feature.name);
    const other = feature.categories.length;
    const index = categoryIndex(column.categories, feature.categories, other);
    return column.codes.map((code) => (code < 0 ? other : index[code]));
  });
}

/** A tree with typed arrays; categorical nodes answer from a table of their own. */
interface Walkable {
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly missingLeft: Uint8Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly value: Float64Array;
  readonly goesLeft: readonly (Uint8Array | null)[];
}

function toWalkable(model: BoosterModel, tree: BoosterTree): Walkable {
  return {
    feature: Int32Array.from(tree.feature),
    threshold: Float64Array.from(tree.threshold),
    missingLeft: Uint8Array.from(tree.missingLeft),
    left: Int32Array.from(tree.left),
    right: Int32Array.from(tree.right),
    value: Float64Array.from(tree.value),
    goesLeft: tree.categories.map((members, node) => {
      const feature = model.features[tree.feature[node]];
      if (members === null || feature?.kind !== 'categorical') return null;
      const table = new Uint8Array(feature.categories.length + 1);
      for (const index of members) table[index] = 1;
      table[feature.categories.length] = tree.missingLeft[node];
      return table;
    }),
  };
}

function child(tree: Walkable, node: number, cells: readonly Cells[], row: number): number {
  const x = cells[tree.feature[node]][row];
  const table = tree.goesLeft[node];
  const isLeft =
    table !== null ? table[x] === 1 : Number.isNaN(x) ? tree.missingLeft[node] === 1 : x <= tree.threshold[node];
  return isLeft ? tree.left[node] : tree.right[node];
}

/**
 * Raw predictions, one a row: log-odds for the logistic loss, values for the squared loss.
 * @throws BadInput when a column of the model is missing or of the other kind
 */
export function predictRaw(model: BoosterModel, data: Features): Float64Array {
  const cells = readCells(model, data);
  const trees = model.trees.map((tree) => toWalkable(model, tree));
  const scores = new Float64Array(data.rows).fill(model.baseScore);
  for (let from = 0; from < data.rows; from += BLOCK) {
    const to = Math.min(data.rows, from + BLOCK);
    for (const tree of trees)
      for (let row = from; row < to; row++) {
        let node = 0;
        while (tree.feature[node] >= 0) node = child(tree, node, cells, row);
        scores[row] += tree.value[node];
      }
  }
  return scores;
}

/** Predictions, one a row: the probability of label 1 for the logistic loss, values for the squared loss. */
export function predict(model: BoosterModel, data: Features): Float64Array {
  const raw = predictRaw(model, data);
  return model.loss === 'logistic' ? raw.map((s) => 1 / (1 + Math.exp(-s))) : raw;
}

/** Contributions of a row: row r has its `bias` plus values[r · features + f] for each feature f; they add up to the raw prediction. */
export interface Contributions {
  readonly features: readonly string[];
  readonly bias: number;
  readonly values: Float64Array;
}

/**
 * Attributes each raw prediction to features along the rows' paths: the change of the node's value at each split is credited to
 * the feature split on (Saabas 2014). Cheap and exact in sum; unlike Shapley values, splits near the root get less than their share.
 */
export function contributions(model: BoosterModel, data: Features): Contributions {
  const cells = readCells(model, data);
  const width = model.features.length;
  const values = new Float64Array(data.rows * width);
  let bias = model.baseScore;
  for (const tree of model.trees.map((t) => toWalkable(model, t))) {
    bias += tree.value[0];
    for (let row = 0; row < data.rows; row++)
      for (let node = 0; tree.feature[node] >= 0; ) {
        const next = child(tree, node, cells, row);
        values[row * width + tree.feature[node]] += tree.value[next] - tree.value[node];
        node = next;
      }
  }
  return { features: model.features.map(({ name }) => name), bias, values };
}

export interface Importance {
  readonly name: string;
  /** Share of the total gain of all splits; 0 when there are none. */
  readonly gain: number;
  /** Number of splits on the feature. */
  readonly splits: number;
}

/** Features by their share of the gain, greatest first, ties by name. */
export function gainImportance(model: BoosterModel): Importance[] {
  const gain = new Float64Array(model.features.length);
  const splits = new Int32Array(model.features.length);
  for (const tree of model.trees)
    tree.feature.forEach((f, node) => {
      if (f < 0) return;
      gain[f] += tree.gain[node];
      splits[f]++;
    });
  const total = gain.reduce((sum, g) => sum + g, 0);
  return model.features
    .map(({ name }, f) => ({ name, gain: total > 0 ? gain[f] / total : 0, splits: splits[f] }))
    .sort((a, b) => b.gain - a.gain || (a.name < b.name ? -1 : 1));
}
