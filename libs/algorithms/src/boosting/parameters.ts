/**
 * What a training may be told, with the defaults. Names follow the ModelSpec's recipe; the comments give LightGBM's names.
 */
import { demand } from '../bad-input.js';

export interface BoosterParameters {
  /** 'logistic': labels 0 or 1, raw predictions in log-odds. 'squared': any label, raw predictions in its units. */
  readonly loss: 'logistic' | 'squared';
  /** Greatest number of trees (num_iterations). */
  readonly trees: number;
  readonly learningRate: number;
  /** Greatest number of leaves a tree, grown best first (num_leaves). */
  readonly leaves: number;
  /** Greatest depth of a leaf; 0 is no limit (max_depth). */
  readonly maxDepth: number;
  /** Fewest sampled rows in a leaf (min_data_in_leaf); counted exactly. */
  readonly minRowsPerLeaf: number;
  /** Least sum of second derivatives in a leaf (min_sum_hessian_in_leaf). */
  readonly minHessian: number;
  /** A split must reduce the regularized loss by more than this (min_gain_to_split). */
  readonly minGain: number;
  /** L2 on leaf values (lambda_l2). */
  readonly l2: number;
  /** Share of the columns drawn for each tree (feature_fraction). */
  readonly columnSampling: number;
  /** Share of the rows drawn, without replacement, for each tree (bagging_fraction with bagging_freq 1). */
  readonly rowSampling: number;
  /** Greatest number of bins a column, the one for missing included; at most 255 (max_bin). */
  readonly maxBins: number;
  /** A category is considered by itself in a split only where the leaf holds this many rows of it (min_data_per_group). */
  readonly minRowsPerCategory: number;
  /** Added to the sum of second derivatives when categories are put in order (cat_smooth): draws small ones to the middle. */
  readonly categorySmoothing: number;
  /** Extra L2 in the gain of a categorical split (cat_l2). */
  readonly categoryL2: number;
  /**
   * Greatest number of categories on the smaller side of a categorical split (max_cat_threshold). At 1 the category with the lowest or
   * highest ratio is parted from the rest: on small sets larger groups fit noise (flights, first training: log loss .491 against .498).
   */
  readonly maxSplitCategories: number;
  /** With a validation set: stop after this many trees without improvement and keep the best number; 0 never stops. */
  readonly earlyStoppingRounds: number;
}

export const BOOSTER_DEFAULTS: BoosterParameters = {
  loss: 'logistic',
  trees: 300,
  learningRate: 0.03,
  leaves: 15,
  maxDepth: 0,
  minRowsPerLeaf: 200,
  minHessian: 1e-3,
  minGain: 0,
  l2: 10,
  columnSampling: 0.4,
  rowSampling: 0.7,
  maxBins: 255,
  minRowsPerCategory: 200,
  categorySmoothing: 100,
  categoryL2: 10,
  maxSplitCategories: 1,
  earlyStoppingRounds: 50,
};

type Rule = readonly [holds: (x: number) => boolean, words: string];
const whole = (low: number, high = Infinity): Rule => [
  (x) => Number.isInteger(x) && x >= low && x <= high,
  high === Infinity ? `a whole number of at least ${low}` : `a whole number from ${low} to ${high}`,
];
const atLeastZero: Rule = [(x) => Number.isFinite(x) && x >= 0, 'a finite number of at least 0'];
const share: Rule = [(x) => x > 0 && x <= 1, 'a number above 0 and at most 1'];

const RULES: Record<Exclude<keyof BoosterParameters, 'loss'>, Rule> = {
  trees: whole(0),
  learningRate: [(x) => Number.isFinite(x) && x > 0, 'a finite number above 0'],
  leaves: whole(2, 65535),
  maxDepth: whole(0),
  minRowsPerLeaf: whole(1),
  minHessian: atLeastZero,
  minGain: atLeastZero,
  l2: atLeastZero,
  columnSampling: share,
  rowSampling: share,
  maxBins: whole(2, 255),
  minRowsPerCategory: whole(1),
  categorySmoothing: atLeastZero,
  categoryL2: atLeastZero,
  maxSplitCategories: whole(1),
  earlyStoppingRounds: whole(0),
};

/** Fills in the defaults. @throws BadInput for an unknown name or a value out of range. */
export function resolveParameters(given: Partial<BoosterParameters> = {}): BoosterParameters {
  for (const name of Object.keys(given))
    demand(
      name in BOOSTER_DEFAULTS,
      `parameters.${name}`,
      () => 'there is no such parameter',
      `use one of ${Object.keys(BOOSTER_DEFAULTS).join(', ')}`,
    );
  const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const resolved: BoosterParameters = { ...BOOSTER_DEFAULTS, ...stated };
  demand(
    resolved.loss === 'logistic' || resolved.loss === 'squared',
    'parameters.loss',
    () => `it is ${String(resolved.loss)}`,
    "pass 'logistic' or 'squared'",
  );
  for (const [name, [holds, words]] of Object.entries(RULES) as [keyof typeof RULES, Rule][])
    demand(holds(resolved[name]), `parameters.${name}`, () => `it is ${resolved[name]}`, `pass ${words}`);
  return resolved;
}
