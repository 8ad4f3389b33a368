/**
 * The generated data of record.py, rebuilt bit for bit: one linear congruential generator (Numerical Recipes), then only operations that
 * IEEE 754 rounds alike everywhere. Any change here needs the numbers recorded anew.
 */
import type { Dataset } from '../dataset.js';

const CATEGORIES = 12;

export class Lcg {
  #x: number;
  constructor(seed: number) {
    this.#x = seed;
  }
  uniform(): number {
    this.#x = (Math.imul(1664525, this.#x) + 1013904223) >>> 0;
    return this.#x / 4294967296;
  }
}

/** The dataset of `make(seed, rows)`; `targets` are the real-valued labels of the squared loss. */
export function generated(seed: number, rows: number): Dataset & { targets: Float64Array } {
  const random = new Lcg(seed);
  const x = Array.from({ length: 5 }, () => new Float64Array(rows));
  const codes = new Int32Array(rows);
  const labels = new Uint8Array(rows);
  const targets = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const [x0, x1, u2, x3, x4] = Array.from({ length: 5 }, () => random.uniform());
    const x2 = Math.floor(10 * u2);
    const c = Math.floor(CATEGORIES * random.uniform());
    const missing = random.uniform() < (x0 > 0.5 ? 0.3 : 0.05);
    let z = 3 * x0 - 1.5 + (x1 > 0.6 ? 1.2 : -0.4) + (0.3 * x2 - 1.4) * (x3 > 0.5 ? 1 : -1);
    z += c % 3 === 0 ? 0.9 : -0.5;
    const p = 0.5 + (0.5 * z) / (1 + Math.abs(z));
    labels[row] = random.uniform() < p ? 1 : 0;
    targets[row] = z + 2 * random.uniform() - 1;
    [x0, missing ? Number.NaN : x1, x2, x3, x4].forEach((value, k) => {
      x[k][row] = value;
    });
    codes[row] = c;
  }
  const categories = Array.from({ length: CATEGORIES }, (_, c) => `c${c}`);
  return {
    rows,
    columns: [
      ...x.map((values, k) => ({ name: `x${k}`, kind: 'numeric' as const, values })),
      { name: 'c', kind: 'categorical', codes, categories },
    ],
    labels,
    targets,
  };
}

/** The probabilities and labels of `scores(seed, rows, ties)`. */
export function generatedScores(seed: number, rows: number, ties: number): { p: Float64Array; y: Uint8Array } {
  const random = new Lcg(seed);
  const p = new Float64Array(rows);
  const y = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    const s = random.uniform();
    p[i] = Math.floor(s * ties) / ties;
    y[i] = random.uniform() < 0.1 + 0.6 * s ? 1 : 0;
  }
  return { p, y };
}
