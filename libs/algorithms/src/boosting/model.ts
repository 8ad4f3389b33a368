/**
 * The model as plain JSON: everything that prediction, an ONNX export or a reader needs, and nothing else.
 *
 * I1  Every `threshold`, `value` and the base score is exactly representable in float32, and prediction rounds inputs to
 *     float32 first: `x <= threshold` has the same answer here and in ONNX's float32 tree ensemble. Features of precision
 *     `double` are left out of it: they are compared as they are, with thresholds that are doubles, here and in the graph.
 * I2  Raw prediction = baseScore + Σ over trees of the value of the leaf that the row reaches.
 * I3  All numbers are finite.
 */
import { demand } from '../bad-input.js';
import type { BoosterParameters } from './parameters.js';

export type ModelFeature =
  | {
      readonly name: string;
      readonly kind: 'numeric';
      /** Present where float32 would have merged values of the training set. */
      readonly precision?: 'double';
    }
  | {
      readonly name: string;
      readonly kind: 'categorical';
      /** The categories that splits may name, by index. Missing, unseen and rare ones are "other" and follow `missingLeft`. */
      readonly categories: readonly string[];
    };

/** Whether a feature's values are compared as they are, not rounded to float32. */
export const isDouble = (feature: ModelFeature): boolean =>
  feature.kind === 'numeric' && feature.precision === 'double';

/**
 * One tree as flat arrays, entry i about node i; node 0 is the root, children come after their parents.
 *
 * A node with feature −1 is a leaf. A numeric node sends x left when missing(x) ? missingLeft : fround(x) <= threshold
 * (x <= threshold where the feature's precision is double).
 * A categorical node (`categories[i]` is not null) sends a category left when its index in the feature's list is in
 * `categories[i]` (ascending), "other" left when missingLeft is 1, and everything else right.
 */
export interface BoosterTree {
  /** Index into `features`, or −1 for a leaf. */
  readonly feature: readonly number[];
  /** For numeric nodes; 0 elsewhere. */
  readonly threshold: readonly number[];
  /** For categorical nodes; null elsewhere. */
  readonly categories: readonly (readonly number[] | null)[];
  /** 1 where a missing value (or "other" category) goes left; 0 elsewhere, and in leaves. */
  readonly missingLeft: readonly (0 | 1)[];
  /** Child nodes; −1 in leaves. */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** In a leaf, what it adds, learning rate included; in an inner node, what it would have added as a leaf (contributions use it). */
  readonly value: readonly number[];
  /** Reduction of the regularized loss by the split; 0 in leaves. */
  readonly gain: readonly number[];
  /** Sampled training rows that reached the node. */
  readonly rows: readonly number[];
}

export interface BoosterModel {
  readonly format: 'driftloop-booster/1';
  readonly loss: 'logistic' | 'squared';
  /** In the order of the training set's columns. */
  readonly features: readonly ModelFeature[];
  /** In log-odds for the logistic loss. */
  readonly baseScore: number;
  readonly trees: readonly BoosterTree[];
  /** trees.length: what a refit on more rows is told to grow. */
  readonly treeCount: number;
  readonly parameters: BoosterParameters;
  readonly seed: number | string;
  readonly trainedRows: number;
  /** Loss on the validation set with `treeCount` trees; absent without one. */
  readonly validationLoss?: number;
}

/** A cheap look at a model that came from outside. @throws BadInput when it is not one. */
export function checkModel(model: BoosterModel): void {
  demand(
    model?.format === 'driftloop-booster/1',
    'model.format',
    () => `it is ${String(model?.format)}`,
    'pass a model that train() returned, or its JSON parsed',
  );
  model.trees.forEach((tree, t) => {
    const n = tree.feature.length;
    const sound =
      n > 0 &&
      [tree.threshold, tree.categories, tree.missingLeft, tree.left, tree.right, tree.value].every(
        (a) => a.length === n,
      ) &&
      tree.feature.every(
        (f, i) =>
          f === -1 ||
          (f < model.features.length && tree.left[i] > i && tree.right[i] > i && tree.left[i] < n && tree.right[i] < n),
      );
    demand(sound, `model.trees[${t}]`, () => 'its arrays do not describe a tree', 'pass the JSON unchanged');
  });
}
