/**
 * Boosted trees as one ai.onnx.ml TreeEnsemble (opset 5) in DOUBLE: leaf values add up in the trainer's precision.
 *
 * I1  A numeric split is BRANCH_LEQ, a categorical one BRANCH_MEMBER; NaN follows `nodes_missing_value_tracks_true`.
 * I2  Inner nodes and leaves are numbered apart, each over all trees. A tree that is one leaf has no inner node, which
 *     the operator cannot say: its value is returned as part of the constant.
 */
import type { BoosterTree } from '@driftloop/algorithms';
import { bytes, doubles, integer, integers, type Node, node, tensor } from './graph.js';

const BRANCH_LEQ = 0;
const BRANCH_MEMBER = 6;
const SUM = 1;

interface Arrays {
  roots: number[];
  features: number[];
  splits: number[];
  modes: number[];
  trueNodes: number[];
  falseNodes: number[];
  trueLeaves: number[];
  falseLeaves: number[];
  missingTrue: number[];
  members: number[];
  weights: number[];
}

export interface EnsembleNode {
  /** Absent where no tree has a split: then the constant is all there is. */
  readonly node?: Node;
  /** What single-leaf trees add. */
  readonly constant: number;
}

/** The ensemble's node: `matrix` in, raw sums out as `output`. `columnOf` maps a tree's feature index to a matrix column. */
export function treeEnsemble(
  trees: readonly BoosterTree[],
  columnOf: (feature: number) => number,
  matrix: string,
  output: string,
): EnsembleNode {
  const a: Arrays = {
    roots: [],
    features: [],
    splits: [],
    modes: [],
    trueNodes: [],
    falseNodes: [],
    trueLeaves: [],
    falseLeaves: [],
    missingTrue: [],
    members: [],
    weights: [],
  };
  let constant = 0;
  for (const tree of trees) {
    if (tree.feature[0] === -1) constant += tree.value[0];
    else addTree(a, tree, columnOf);
  }
  return a.roots.length ? { node: encode(a, matrix, output), constant } : { constant };
}

function addTree(a: Arrays, tree: BoosterTree, columnOf: (feature: number) => number): void {
  const place = new Int32Array(tree.feature.length);
  let inner = a.features.length;
  tree.feature.forEach((feature, i) => {
    if (feature !== -1) place[i] = inner++;
    else place[i] = a.weights.push(tree.value[i]) - 1;
  });
  a.roots.push(place[0]);
  tree.feature.forEach((feature, i) => {
    if (feature === -1) return;
    const left = tree.left[i];
    const right = tree.right[i];
    a.features.push(columnOf(feature));
    a.trueNodes.push(place[left]);
    a.falseNodes.push(place[right]);
    a.trueLeaves.push(tree.feature[left] === -1 ? 1 : 0);
    a.falseLeaves.push(tree.feature[right] === -1 ? 1 : 0);
    a.missingTrue.push(tree.missingLeft[i]);
    addTest(a, tree, i);
  });
}

function addTest(a: Arrays, tree: BoosterTree, i: number): void {
  const set = tree.categories[i];
  if (set?.length) {
    a.modes.push(BRANCH_MEMBER);
    a.splits.push(0);
    a.members.push(...set, Number.NaN);
    return;
  }
  a.modes.push(BRANCH_LEQ);
  // An empty set holds no category: codes begin at 0, so "code <= −1" says the same.
  a.splits.push(set ? -1 : tree.threshold[i]);
}

function encode(a: Arrays, matrix: string, output: string): Node {
  const attributes = [
    integer('n_targets', 1),
    integer('aggregate_function', SUM),
    integer('post_transform', 0),
    integers('tree_roots', a.roots),
    integers('nodes_featureids', a.features),
    tensor('nodes_splits', doubles('splits', [a.splits.length], a.splits)),
    tensor('nodes_modes', bytes('modes', a.modes)),
    integers('nodes_truenodeids', a.trueNodes),
    integers('nodes_falsenodeids', a.falseNodes),
    integers('nodes_trueleafs', a.trueLeaves),
    integers('nodes_falseleafs', a.falseLeaves),
    integers('nodes_missing_value_tracks_true', a.missingTrue),
    integers(
      'leaf_targetids',
      a.weights.map(() => 0),
    ),
    tensor('leaf_weights', doubles('weights', [a.weights.length], a.weights)),
  ];
  if (a.members.length) attributes.push(tensor('membership_values', doubles('members', [a.members.length], a.members)));
  return node('TreeEnsemble', [matrix], output, attributes, 'ml');
}
