/**
 * A tree while it grows, in bins; then as the model's JSON, in values. Also the two ways of sending rows through it that training needs:
 * dividing the rows of a leaf, and finding the leaf of rows that were not sampled.
 *
 * I1  goesLeft[256·node + bin] answers every split alike, numeric, categorical or missing.
 * I2  Dividing is stable: rows stay ascending within a leaf, so memory is read forwards.
 */
import { type BinnedRows, type ColumnBins, FLOAT32_MAX } from './bins.js';
import type { BoosterTree } from './model.js';
import type { Split } from './split.js';

export class GrowingTree {
  readonly column: number[] = [];
  readonly left: number[] = [];
  readonly right: number[] = [];
  readonly value: number[] = [];
  readonly rows: number[] = [];
  readonly splits: (Split | null)[] = [];
  readonly #goesLeft: Uint8Array;

  constructor(
    private readonly bins: readonly ColumnBins[],
    leaves: number,
  ) {
    this.#goesLeft = new Uint8Array(256 * (2 * leaves - 1));
  }

  /** Adds a leaf and returns its number. */
  addLeaf(value: number, rows: number): number {
    this.column.push(-1);
    this.left.push(-1);
    this.right.push(-1);
    this.value.push(Math.fround(value));
    this.rows.push(rows);
    this.splits.push(null);
    return this.column.length - 1;
  }

  /** Turns a leaf into an inner node over two leaves that were added already. */
  split(node: number, split: Split, left: number, right: number): void {
    this.column[node] = split.column;
    this.left[node] = left;
    this.right[node] = right;
    this.splits[node] = split;
  }

  /** Fills the node's answers before its rows are divided. */
  #answer(node: number, split: Split): void {
    const table = this.#goesLeft.subarray(256 * node, 256 * node + 256);
    const { bins } = this.bins[split.column];
    if (split.leftBins === null) table.fill(1, 0, split.bin + 1);
    else for (const b of split.leftBins) table[b] = 1;
    table[bins] = split.missingLeft ? 1 : 0;
  }

  /** Reorders rows[from … to) so that those going left come first; returns where the right ones begin. `spare` is as long as `rows`. */
  divide(
    node: number,
    split: Split,
    data: BinnedRows,
    rows: Int32Array,
    from: number,
    to: number,
    spare: Int32Array,
  ): number {
    this.#answer(node, split);
    const goesLeft = this.#goesLeft;
    const base = 256 * node;
    const offset = split.column * data.rows;
    const cells = data.cells;
    let l = from;
    let r = 0;
    for (let i = from; i < to; i++) {
      const row = rows[i];
      const isLeft = goesLeft[base + cells[offset + row]];
      // Both are written, one of them counts: no branch to mispredict.
      rows[l] = row;
      spare[r] = row;
      l += isLeft;
      r += 1 - isLeft;
    }
    for (let i = 0; i < r; i++) rows[l + i] = spare[i];
    return l;
  }

  /** Adds the tree's value to the scores of `rows`. */
  addTo(scores: Float64Array, data: BinnedRows, rows: Int32Array): void {
    const { cells, rows: height } = data;
    const column = Int32Array.from(this.column);
    const left = Int32Array.from(this.left);
    const right = Int32Array.from(this.right);
    const goesLeft = this.#goesLeft;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      let node = 0;
      while (column[node] >= 0)
        node = goesLeft[256 * node + cells[column[node] * height + row]] === 1 ? left[node] : right[node];
      scores[row] += this.value[node];
    }
  }

  /** As the model's JSON; `place` maps a binned column to its index among the model's features. */
  toModel(place: Int32Array): BoosterTree {
    const each = <T>(of: (split: Split | null) => T): T[] => this.splits.map(of);
    return {
      feature: this.column.map((c) => (c < 0 ? -1 : place[c])),
      threshold: each((split) => (split === null || split.leftBins !== null ? 0 : this.#threshold(split))),
      categories: each((split) => split?.leftBins ?? null),
      missingLeft: each((split) => (split?.missingLeft ? 1 : 0)),
      left: this.left,
      right: this.right,
      value: this.value,
      gain: each((split) => split?.gain ?? 0),
      rows: this.rows,
    };
  }

  #threshold(split: Split): number {
    const column = this.bins[split.column];
    // Below every value: only missing goes left.
    return column.kind === 'numeric' && split.bin >= 0 ? column.edges[split.bin] : -FLOAT32_MAX;
  }
}
