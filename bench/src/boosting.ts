/**
 * Training time of histogram gradient boosting: 300 trees of 15 leaves on 52 columns, by rows, on one core; prints JSON.
 *
 *   npx tsc -b bench && node bench/dist/boosting.js [rows ...]
 *
 * `floorSeconds` is measured in the same process: the same number of histogram updates as the training made, each no more than
 * one byte read, one number read and one number added in place. `ratio` = seconds / floorSeconds.
 */
import { type BoosterModel, type Column, type Dataset, predictRaw, Random, train } from '@driftloop/algorithms';

const COLUMNS = 52;
const RUNS = 3;

/** 50 numeric columns, some with missing values or few values, and 2 categorical ones; labels from six of them. */
function makeDataset(rows: number): Dataset {
  const random = new Random(rows);
  const columns: Column[] = Array.from({ length: COLUMNS - 2 }, (_, k) => ({
    name: `x${k}`,
    kind: 'numeric',
    values: Float64Array.from({ length: rows }, () => {
      const u = random.uniform();
      return k % 5 === 4 && random.uniform() < 0.1 ? Number.NaN : k % 3 === 0 ? Math.floor(u * 40) / 40 : u;
    }),
  }));
  for (const [name, size] of [['carrier', 10] as const, ['dest', 60] as const])
    columns.push({
      name,
      kind: 'categorical',
      categories: Array.from({ length: size }, (_, c) => `${name}${c}`),
      codes: Int32Array.from({ length: rows }, () => random.integer(size)),
    });
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const z = columns
      .slice(0, 6)
      .reduce((sum, column) => sum + (column.kind === 'numeric' ? column.values[row] || 0.5 : 0), -4);
    return random.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  });
  return { rows, columns, labels };
}

/** Histogram updates that the trees needed: the root's rows, and at each split the smaller child's, times the sampled columns. */
function countUpdates(model: BoosterModel): number {
  const sampled = Math.round(model.parameters.columnSampling * model.features.length);
  let rows = 0;
  for (const tree of model.trees) {
    rows += tree.rows[0];
    tree.left.forEach((left, node) => {
      if (left >= 0) rows += Math.min(tree.rows[left], tree.rows[tree.right[node]]);
    });
  }
  return rows * sampled;
}

function floorSeconds(updates: number, rows: number): number {
  const random = new Random(1);
  const bins = Uint8Array.from({ length: rows }, () => random.integer(255));
  const gradients = Float64Array.from({ length: rows }, () => random.uniform());
  const sums = new Float64Array(256);
  const scan = (count: number): void => {
    for (let i = 0; i < count; i++) sums[bins[i]] += gradients[i];
  };
  scan(rows);
  const start = performance.now();
  for (let left = updates; left > 0; left -= rows) scan(Math.min(rows, left));
  return (performance.now() - start) / 1000;
}

function measure(rows: number): Record<string, number> {
  const data = makeDataset(rows);
  const seconds: number[] = [];
  let model = train(data, { trees: 10 }, { seed: 0 });
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    model = train(data, { trees: 300 }, { seed: run });
    seconds.push((performance.now() - start) / 1000);
  }
  const start = performance.now();
  predictRaw(model, data);
  const predictSeconds = (performance.now() - start) / 1000;
  const updates = countUpdates(model);
  const floor = floorSeconds(updates, rows);
  const best = Math.min(...seconds);
  return {
    rows,
    columns: COLUMNS,
    trees: model.treeCount,
    seconds: best,
    predictSeconds,
    updates,
    floorSeconds: floor,
    ratio: best / floor,
  };
}

const sizes = process.argv.slice(2).map(Number);
const results = (sizes.length > 0 ? sizes : [10_000, 30_000, 100_000]).map(measure);
const round = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(4)) : value;
console.log(
  JSON.stringify(
    {
      benchmark: 'boosting',
      node: process.version,
      floor: 'one byte, one number, one addition in place an update',
      results,
    },
    round,
    2,
  ),
);
