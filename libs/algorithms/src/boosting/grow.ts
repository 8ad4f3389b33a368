/**
 * Grows one tree best first (leaf-wise; Shi, "Best-first decision tree learning", 2007, and LightGBM): of all leaves, the one
 * whose split gains most is split next, until there are enough leaves or nothing is gained.
 *
 * I1  A leaf's rows are rows[from … to) of one array; splitting a leaf divides its stretch in place.
 * I2  A histogram is built only for a leaf that may still be split: not after the last split, nor for too few rows or too great a depth.
 */
import type { BinnedRows, ColumnBins } from './bins.js';
import { buildHistogram, gather, type Layout, layOut, subtractHistogram } from './histogram.js';
import type { FixedPoint } from './loss.js';
import type { BoosterParameters } from './parameters.js';
import { noSplit, type Split, SplitFinder, type Sums } from './split.js';
import { GrowingTree } from './tree.js';

interface Leaf extends Sums {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
  histogram: Float64Array | null;
  split: Split;
}

/** What a tree is grown from: the sampled rows and columns, and the derivatives by row and in the order of the rows. */
export interface Growth {
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  readonly byRow: Float64Array;
  readonly ordered: Float64Array;
  readonly units: FixedPoint;
}

export class TreeGrower {
  readonly #finder: SplitFinder;
  readonly #spare: Int32Array;
  readonly #free: Float64Array[] = [];
  readonly #histogramSize: number;

  constructor(
    private readonly bins: readonly ColumnBins[],
    private readonly data: BinnedRows,
    private readonly parameters: BoosterParameters,
  ) {
    this.#finder = new SplitFinder(bins, parameters);
    this.#spare = new Int32Array(data.rows);
    this.#histogramSize = bins.reduce((sum, column) => sum + 2 * (column.bins + 1), 0);
  }

  /** Grows a tree and adds it to the scores of the sampled rows. Reorders `growth.rows` and overwrites `growth.ordered`. */
  grow(growth: Growth, scores: Float64Array): GrowingTree {
    this.#finder.setUnits(growth.units);
    const layout = layOut(this.bins, growth.columns);
    const tree = new GrowingTree(this.bins, this.parameters.leaves);
    const leaves = [this.#root(tree, growth, layout)];
    while (leaves.length < this.parameters.leaves) {
      const best = leaves.reduce((a, b) => (b.split.gain > a.split.gain ? b : a));
      if (best.split.column < 0) break;
      const children = this.#splitLeaf(tree, best, growth, layout, leaves.length + 1 < this.parameters.leaves);
      leaves.splice(leaves.indexOf(best), 1, ...children);
    }
    for (const leaf of leaves) {
      this.#release(leaf);
      const value = tree.value[leaf.node];
      for (let i = leaf.from; i < leaf.to; i++) scores[growth.rows[i]] += value;
    }
    return tree;
  }

  #root(tree: GrowingTree, growth: Growth, layout: Layout): Leaf {
    let gradient = 0;
    let packed = 0;
    for (let k = 0; k < growth.rows.length; k++) {
      gradient += growth.ordered[2 * k];
      packed += growth.ordered[2 * k + 1];
    }
    const root = this.#leaf(tree, { gradient, packed }, 0, growth.rows.length, 0);
    if (this.#maySplit(root)) {
      root.histogram = this.#build(root, growth, layout);
      root.split = this.#finder.best(root.histogram, layout, growth.columns, root);
    }
    return root;
  }

  #leaf(tree: GrowingTree, { gradient, packed }: Sums, from: number, to: number, depth: number): Leaf {
    const { l2, learningRate } = this.parameters;
    const value = (-learningRate * this.#finder.gradient(gradient)) / (this.#finder.hessian(packed) + l2);
    const node = tree.addLeaf(Number.isFinite(value) ? value : 0, to - from);
    return { node, from, to, depth, gradient, packed, histogram: null, split: noSplit() };
  }

  #maySplit({ from, to, depth }: Leaf): boolean {
    const { minRowsPerLeaf, maxDepth } = this.parameters;
    return to - from >= 2 * minRowsPerLeaf && (maxDepth === 0 || depth < maxDepth);
  }

  #splitLeaf(tree: GrowingTree, parent: Leaf, growth: Growth, layout: Layout, more: boolean): [Leaf, Leaf] {
    const { split, from, to } = parent;
    const middle = tree.divide(parent.node, split, this.data, growth.rows, from, to, this.#spare);
    const right: Sums = { gradient: parent.gradient - split.gradient, packed: parent.packed - split.packed };
    const children: [Leaf, Leaf] = [
      this.#leaf(tree, split, from, middle, parent.depth + 1),
      this.#leaf(tree, right, middle, to, parent.depth + 1),
    ];
    tree.split(parent.node, split, children[0].node, children[1].node);
    if (more) this.#findSplits(parent, children, growth, layout);
    this.#release(parent);
    return children;
  }

  #findSplits(parent: Leaf, children: [Leaf, Leaf], growth: Growth, layout: Layout): void {
    const [small, large] =
      children[0].to - children[0].from <= children[1].to - children[1].from ? children : [children[1], children[0]];
    if (!this.#maySplit(large)) return;
    gather(growth.byRow, growth.rows, small.from, small.to, growth.ordered);
    small.histogram = this.#build(small, growth, layout);
    large.histogram = parent.histogram as Float64Array;
    parent.histogram = null;
    subtractHistogram(large.histogram, small.histogram, layout.size);
    for (const leaf of [small, large])
      if (this.#maySplit(leaf))
        leaf.split = this.#finder.best(leaf.histogram as Float64Array, layout, growth.columns, leaf);
  }

  #build(leaf: Leaf, { columns, rows, ordered }: Growth, layout: Layout): Float64Array {
    const histogram = this.#free.pop() ?? new Float64Array(this.#histogramSize);
    buildHistogram(histogram, layout, columns, this.data, rows, leaf.from, leaf.to, ordered);
    return histogram;
  }

  #release(leaf: Leaf): void {
    if (leaf.histogram !== null) this.#free.push(leaf.histogram);
    leaf.histogram = null;
  }
}
