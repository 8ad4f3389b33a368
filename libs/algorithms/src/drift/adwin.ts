/**
 * ADWIN: a window over a stream that grows while the mean stays and drops its old end when two parts of it differ, so that it says when the mean changed.
 * (Bifet & Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007: algorithm ADWIN2.)
 *
 * W of width n is cut into W0·W1 wherever |μ0 − μ1| > ε_cut, with m the harmonic mean term 1/m = 1/n0 + 1/n1, δ' = δ / ln n and
 * ε_cut = √(2/m · σ²_W · ln(2/δ')) + 2/(3m) · ln(2/δ'). Values are taken to lie in [0, 1].
 *
 * I1  The window is an exponential histogram: at most M buckets of each size 2^i, so that memory is O(M log n).
 * I2  Buckets are ordered, oldest last in the highest row; two of a row merge into one of the next, never across.
 *
 * @param delta confidence: 0 < δ < 1, default .002. @param clock a cut is looked for at every so many values, default 1.
 *
 * @example
 * const adwin = new Adwin({ delta: .01 });
 * for (const loss of losses) if (adwin.update(loss) === 'drift') console.log(`the newest ${adwin.width} are of another mean`);
 */
import { demand } from '../bad-input.js';

export interface AdwinOptions {
  readonly delta?: number;
  readonly clock?: number;
  /** Buckets of one size, at most; the paper's M. Default 5. */
  readonly maxBuckets?: number;
  /** Neither part of a cut is shorter. Default 1. */
  readonly minLength?: number;
}

/** Plain JSON. Rows of buckets of size 2^i, newest first; a bucket is [sum, sum of squared deviations from its own mean]. */
export interface AdwinState {
  readonly options: Required<AdwinOptions>;
  readonly rows: readonly (readonly (readonly [sum: number, squares: number])[])[];
  /** Of the whole window: kept, not added up again, so that a restored detector goes on to the last digit. */
  readonly sum: number;
  readonly squares: number;
  readonly seen: number;
}

type Bucket = [sum: number, squares: number];

export class Adwin {
  readonly options: Required<AdwinOptions>;
  private rows: Bucket[][] = [[]];
  private n = 0;
  private sum = 0;
  private squares = 0;
  private seen = 0;

  constructor({ delta = 0.002, clock = 1, maxBuckets = 5, minLength = 1 }: AdwinOptions = {}) {
    demand(delta > 0 && delta < 1, 'Adwin.delta', () => String(delta), 'pass a number strictly between 0 and 1');
    const whole = [clock, maxBuckets, minLength].every((x) => Number.isInteger(x) && x >= 1);
    demand(
      whole,
      'Adwin',
      () => `clock ${clock}, maxBuckets ${maxBuckets}, minLength ${minLength}`,
      'pass whole numbers of at least 1',
    );
    this.options = { delta, clock, maxBuckets, minLength };
  }

  /** Takes a value of [0, 1]; 'drift' where older values were dropped. Amortized O(log n). NaN is missing: nothing changes. @throws BadInput beyond [0, 1]. */
  update(x: number): 'stable' | 'drift' {
    if (Number.isNaN(x)) return 'stable';
    demand(x >= 0 && x <= 1, 'Adwin.update', () => String(x), 'scale the values to [0, 1]');
    if (this.n > 0) this.squares += ((x - this.mean) ** 2 * this.n) / (this.n + 1);
    this.rows[0].unshift([x, 0]);
    this.n++;
    this.sum += x;
    this.seen++;
    this.compress();
    return this.seen % this.options.clock === 0 && this.shrink() ? 'drift' : 'stable';
  }

  /** Values in the window. */
  get width(): number {
    return this.n;
  }

  /** Mean of the window; 0 before the first value. */
  get mean(): number {
    return this.n === 0 ? 0 : this.sum / this.n;
  }

  toState(): AdwinState {
    const { options, sum, squares, seen } = this;
    return { options, rows: this.rows.map((row) => row.map(([s, v]): Bucket => [s, v])), sum, squares, seen };
  }

  static fromState({ options, rows, sum, squares, seen }: AdwinState): Adwin {
    const adwin = new Adwin(options);
    adwin.rows = rows.map((row) => row.map(([s, v]): Bucket => [s, v]));
    adwin.n = rows.reduce((n, row, i) => n + row.length * 2 ** i, 0);
    return Object.assign(adwin, { sum, squares, seen });
  }

  /** I1: a row that holds one bucket too many merges its two oldest. */
  private compress(): void {
    for (let i = 0; this.rows[i].length > this.options.maxBuckets; i++) {
      const [older, newer] = [this.rows[i].pop()!, this.rows[i].pop()!];
      const size = 2 ** i;
      this.rows[i + 1] ??= [];
      const squares = older[1] + newer[1] + mergedSquares(size, older[0], size, newer[0]);
      this.rows[i + 1].unshift([older[0] + newer[0], squares]);
    }
  }

  /** Drops the oldest bucket while some cut shows two means. */
  private shrink(): boolean {
    let dropped = false;
    while (this.n > 1 && this.hasCut()) {
      this.dropOldest();
      dropped = true;
    }
    return dropped;
  }

  private hasCut(): boolean {
    const { minLength, delta } = this.options;
    const logTerm = Math.log((2 * Math.log(this.n)) / delta);
    const variance = this.squares / this.n;
    let [n0, sum0] = [0, 0];
    for (const { n, bucket } of this.fromOldest()) {
      n0 += n;
      sum0 += bucket[0];
      const n1 = this.n - n0;
      if (n1 < minLength || n1 === 0) return false;
      if (n0 < minLength) continue;
      const inverse = 1 / n0 + 1 / n1;
      const cut = Math.sqrt(2 * inverse * variance * logTerm) + (2 / 3) * inverse * logTerm;
      if (Math.abs(sum0 / n0 - (this.sum - sum0) / n1) > cut) return true;
    }
    return false;
  }

  private dropOldest(): void {
    const last = this.rows.length - 1;
    const n = 2 ** last;
    const [sum, squares] = this.rows[last].pop()!;
    this.n -= n;
    this.sum -= sum;
    this.squares = Math.max(0, this.squares - squares - mergedSquares(this.n, this.sum, n, sum));
    while (this.rows.length > 1 && this.rows[this.rows.length - 1].length === 0) this.rows.pop();
  }

  private *fromOldest(): Generator<{ n: number; bucket: Bucket }> {
    for (let i = this.rows.length - 1; i >= 0; i--) {
      const row = this.rows[i];
      for (let k = row.length - 1; k >= 0; k--) yield { n: 2 ** i, bucket: row[k] };
    }
  }
}

/** What merging two parts adds to the sum of squared deviations (Chan, Golub & LeVeque 1983). */
const mergedSquares = (n: number, sum: number, m: number, total: number): number =>
  n === 0 || m === 0 ? 0 : ((sum / n - total / m) ** 2 * n * m) / (n + m);
