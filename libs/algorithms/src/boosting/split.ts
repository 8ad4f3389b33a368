/**
 * The best split of a leaf, by the second-order gain G_L²/(H_L + λ) + G_R²/(H_R + λ) − G²/(H + λ) (Chen & Guestrin, KDD 2016, eq. 7,
 * without its ½). Numeric columns: every edge, with missing values on either side, and missing against the rest. Categorical columns:
 * Fisher's grouping ("On grouping for maximum homogeneity", JASA 1958) as LightGBM does it: categories in the order of
 * G/(H + smoothing), then prefixes from both ends.
 *
 * I1  Of equal gains the first wins: columns in order of name, then bins ascending. So ties fall the same way every time.
 * I2  Where no row of the leaf is missing (or "other"), missing goes to the child with the greater second derivative.
 */
import type { ColumnBins } from './bins.js';
import type { Layout } from './histogram.js';
import type { FixedPoint } from './loss.js';
import type { BoosterParameters } from './parameters.js';

/** Sums over a leaf's rows in fixed point (loss.ts): gradient, and packed count and second derivative. */
export interface Sums {
  readonly gradient: number;
  readonly packed: number;
}

export interface Split extends Sums {
  gain: number;
  /** Column in binned order, −1 when nothing can be gained. */
  column: number;
  /** Numeric: the last bin that goes left, −1 when only missing does. */
  bin: number;
  /** Categorical: the bins that go left, ascending; null for numeric. */
  leftBins: readonly number[] | null;
  missingLeft: boolean;
  /** Sums of the left child. */
  gradient: number;
  packed: number;
}

export const noSplit = (): Split => ({
  gain: 0,
  column: -1,
  bin: 0,
  leftBins: null,
  missingLeft: false,
  gradient: 0,
  packed: 0,
});

export class SplitFinder {
  readonly #order = new Float64Array(256);
  #inverseGradient = 1;
  #inverseHessian = 1;
  #inverseCount = 1;
  #countUnit = 1;

  constructor(
    private readonly bins: readonly ColumnBins[],
    private readonly parameters: BoosterParameters,
  ) {}

  /** Takes the units of the next tree. */
  setUnits({ gradientUnit, hessianUnit, countUnit }: FixedPoint): void {
    this.#inverseGradient = 1 / gradientUnit;
    this.#inverseHessian = 1 / hessianUnit;
    this.#inverseCount = 1 / countUnit;
    this.#countUnit = countUnit;
  }

  count(packed: number): number {
    return Math.floor(packed * this.#inverseCount);
  }

  hessian(packed: number): number {
    return (packed - this.count(packed) * this.#countUnit) * this.#inverseHessian;
  }

  gradient(sum: number): number {
    return sum * this.#inverseGradient;
  }

  /** The best split of a leaf with these sums, over the sampled columns; column −1 when none passes the limits. */
  best(histogram: Float64Array, layout: Layout, columns: Int32Array, leaf: Sums): Split {
    const split = noSplit();
    split.gain = this.parameters.minGain;
    for (const c of columns) {
      const start = layout.start[c];
      const column = this.bins[c];
      if (column.kind === 'categorical') {
        this.#categories(histogram, start, column.bins, c, leaf, split);
        continue;
      }
      const missing = start + 2 * column.bins;
      if (histogram[missing + 1] > 0) {
        this.#edges(histogram, start, column.bins, c, leaf, split, 0, 0, false);
        this.#edges(histogram, start, column.bins, c, leaf, split, histogram[missing], histogram[missing + 1], true);
      } else this.#edges(histogram, start, column.bins, c, leaf, split, 0, 0, null);
    }
    return split;
  }

  /** Scans a numeric column from the left, beginning with the sums of missing where it goes left. */
  #edges(
    histogram: Float64Array,
    start: number,
    bins: number,
    c: number,
    leaf: Sums,
    split: Split,
    gradient: number,
    packed: number,
    missingLeft: boolean | null,
  ): void {
    const { l2, minRowsPerLeaf, minHessian } = this.parameters;
    const inverseCount = this.#inverseCount;
    const countUnit = this.#countUnit;
    const inverseHessian = this.#inverseHessian;
    const rows = Math.floor(leaf.packed * inverseCount);
    const H = (leaf.packed - rows * countUnit) * inverseHessian;
    const G = leaf.gradient * this.#inverseGradient;
    const base = (G * G) / (H + l2);
    let bestGain = split.gain;
    let bestBin = -2;
    let bestGradient = 0;
    let bestPacked = 0;
    for (let b = missingLeft === true ? -1 : 0, at = start + 2 * b; b < bins - 1; b++, at += 2) {
      if (b >= 0) {
        // An empty bin repeats the candidate before it.
        if (histogram[at + 1] === 0) continue;
        gradient += histogram[at];
        packed += histogram[at + 1];
      }
      const left = Math.floor(packed * inverseCount);
      if (left < minRowsPerLeaf) continue;
      if (rows - left < minRowsPerLeaf) break;
      const HL = (packed - left * countUnit) * inverseHessian;
      const HR = H - HL;
      if (HL < minHessian || HR < minHessian) continue;
      const GL = gradient * this.#inverseGradient;
      const GR = G - GL;
      const gain = (GL * GL) / (HL + l2) + (GR * GR) / (HR + l2) - base;
      if (gain > bestGain) {
        bestGain = gain;
        bestBin = b;
        bestGradient = gradient;
        bestPacked = packed;
      }
    }
    if (bestBin === -2) return;
    split.gain = bestGain;
    split.column = c;
    split.bin = bestBin;
    split.leftBins = null;
    split.gradient = bestGradient;
    split.packed = bestPacked;
    split.missingLeft = missingLeft ?? this.#heavierLeft(bestPacked, leaf);
  }

  #heavierLeft(packed: number, leaf: Sums): boolean {
    return 2 * this.hessian(packed) >= this.hessian(leaf.packed);
  }

  /** Prefixes of the ordered categories, from the lowest ratio and from the highest. */
  #categories(histogram: Float64Array, start: number, bins: number, c: number, leaf: Sums, split: Split): void {
    const order = this.#orderCategories(histogram, start, bins);
    const most = Math.min(this.parameters.maxSplitCategories, (order.length + 1) >> 1, order.length);
    for (const step of [1, -1]) {
      let gradient = 0;
      let packed = 0;
      for (let k = 0; k < most; k++) {
        const bin = order[step === 1 ? k : order.length - 1 - k];
        gradient += histogram[start + 2 * bin];
        packed += histogram[start + 2 * bin + 1];
        const gain = this.#categoricalGain(gradient, packed, leaf);
        if (!(gain > split.gain)) continue;
        const chosen = step === 1 ? order.slice(0, k + 1) : order.slice(order.length - 1 - k);
        split.gain = gain;
        split.column = c;
        split.bin = 0;
        split.leftBins = chosen.filter((b) => b !== bins).sort((a, b) => a - b);
        split.gradient = gradient;
        split.packed = packed;
        split.missingLeft =
          histogram[start + 2 * bins + 1] > 0 ? chosen.includes(bins) : this.#heavierLeft(packed, leaf);
      }
    }
  }

  /** The bins with enough rows in this leaf, "other" among them, by ascending G/(H + smoothing), ties by bin. */
  #orderCategories(histogram: Float64Array, start: number, bins: number): number[] {
    const { minRowsPerCategory, categorySmoothing } = this.parameters;
    const order: number[] = [];
    for (let b = 0; b <= bins; b++) {
      const packed = histogram[start + 2 * b + 1];
      if (this.count(packed) < minRowsPerCategory) continue;
      this.#order[b] = this.gradient(histogram[start + 2 * b]) / (this.hessian(packed) + categorySmoothing);
      order.push(b);
    }
    return order.sort((a, b) => this.#order[a] - this.#order[b] || a - b);
  }

  #categoricalGain(gradient: number, packed: number, leaf: Sums): number {
    const { l2, categoryL2, minRowsPerLeaf, minHessian } = this.parameters;
    const left = this.count(packed);
    if (left < minRowsPerLeaf || this.count(leaf.packed) - left < minRowsPerLeaf) return Number.NEGATIVE_INFINITY;
    const HL = this.hessian(packed);
    const H = this.hessian(leaf.packed);
    if (HL < minHessian || H - HL < minHessian) return Number.NEGATIVE_INFINITY;
    const GL = this.gradient(gradient);
    const G = this.gradient(leaf.gradient);
    return (GL * GL) / (HL + l2 + categoryL2) + (G - GL) ** 2 / (H - HL + l2 + categoryL2) - (G * G) / (H + l2);
  }
}
