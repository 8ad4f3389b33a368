import { auc } from '../metrics/auc.js';
import { train } from './booster.js';
import type { Dataset, NumericColumn } from './dataset.js';
import { describeBoosting } from './laws.js';
import type { BoosterModel } from './model.js';
import { generated } from './parity/generated.js';
import { gainImportance, predict, predictRaw } from './predict.js';

const small = {
  trees: 20,
  minRowsPerLeaf: 20,
  minRowsPerCategory: 20,
  maxSplitCategories: 8,
  leaves: 8,
  l2: 1,
  learningRate: 0.1,
};

describeBoosting('numbers, categories and missing values', () => generated(1, 1500), small);
describeBoosting('a real-valued label', () => ({ ...generated(3, 1500), labels: generated(3, 1500).targets }), {
  ...small,
  loss: 'squared',
});
describeBoosting('few bins and little depth', () => generated(4, 900), {
  ...small,
  maxBins: 5,
  maxDepth: 2,
  columnSampling: 1,
});
describeBoosting('a single class', () => ({ ...generated(5, 300), labels: new Uint8Array(300).fill(1) }), small);
describeBoosting('fewer rows than a leaf needs', () => generated(6, 30), small);

/** Numbers far from zero that lie close together, as seconds since 1970 do: float32 has one in 128. */
const epochs = (rows: number): Dataset => {
  const data = generated(7, rows);
  const values = Float64Array.from({ length: rows }, (_, row) => 1.7e9 + ((row * 7919) % rows));
  const labels = Float64Array.from(values, (x) => ((x - 1.7e9) % 100 < 50 ? 1 : 0));
  return { ...data, columns: [...data.columns.slice(0, 3), { name: 'epoch', kind: 'numeric', values }], labels };
};
describeBoosting('numbers that float32 would merge', () => epochs(600), { ...small, minRowsPerLeaf: 5 });

const numeric = (values: number[], labels: number[], name = 'x'): Dataset => ({
  rows: values.length,
  columns: [{ name, kind: 'numeric', values: Float64Array.from(values) }],
  labels: Float64Array.from(labels),
});
const categorical = (cells: (string | null)[], labels: number[], categories: string[]): Dataset => ({
  rows: cells.length,
  columns: [
    {
      name: 'c',
      kind: 'categorical',
      categories,
      codes: Int32Array.from(cells, (c) => (c === null ? -1 : categories.indexOf(c))),
    },
  ],
  labels: Float64Array.from(labels),
});
const plain = {
  trees: 1,
  leaves: 2,
  minRowsPerLeaf: 1,
  minHessian: 0,
  l2: 0,
  rowSampling: 1,
  columnSampling: 1,
  learningRate: 1,
  minRowsPerCategory: 1,
  categorySmoothing: 0,
  categoryL2: 0,
};
const stump = (data: Dataset, more = {}): BoosterModel =>
  train(data, { ...plain, loss: 'squared', ...more }, { seed: 1 });

describe('numbers far from zero', () => {
  it('rank as well as the same numbers near it', () => {
    const rows = 2000;
    const near = Array.from({ length: rows }, (_, row) => (row * 7919) % rows);
    const labels = near.map((x) => (x % 200 < 100 ? 1 : 0));
    const aucOf = (shift: number) => {
      const data = numeric(
        near.map((x) => x + shift),
        labels,
      );
      const model = train(data, { ...small, trees: 60, leaves: 31 }, { seed: 1 });
      return auc(predict(JSON.parse(JSON.stringify(model)), data), data.labels);
    };
    expect(aucOf(0)).toBeGreaterThan(0.999);
    expect(aucOf(1.7e9)).toBe(aucOf(0));
    expect(aucOf(-1.7e12)).toBe(aucOf(0));
  });

  it('are compared as float32 where that merges none of them, as every model before', () => {
    const whole = numeric([1, 2, 3, 4, 0.1, 0.2], [0, 1, 0, 1, 0, 1]);
    expect(train(whole, plain, { seed: 1 }).features).toEqual([{ name: 'x', kind: 'numeric' }]);
    expect(train(epochs(600), small, { seed: 1 }).features.at(-1)).toEqual({
      ...{ name: 'epoch', kind: 'numeric', precision: 'double' },
    });
  });
});

describe('a split', () => {
  it('is the one with the greatest gain of all that could be made', () => {
    const data = generated(9, 400);
    const x = data.columns[0] as NumericColumn;
    const half = {
      ...data,
      columns: [{ ...x, values: x.values.map((v) => Math.round(v * 40)) }],
      labels: data.targets,
    };
    const model = stump(half, { minRowsPerLeaf: 15, l2: 3 });
    const mean = Math.fround(data.targets.reduce((a, b) => a + b, 0) / 400);
    let best = { gain: 0, at: Number.NaN };
    for (let at = 0; at < 40; at++) {
      const sums = [0, 0, 0, 0];
      half.columns[0].values.forEach((v, row) => {
        const side = v <= at ? 0 : 2;
        sums[side] += mean - data.targets[row];
        sums[side + 1]++;
      });
      const [gl, hl, gr, hr] = sums;
      if (hl < 15 || hr < 15) continue;
      const gain = gl ** 2 / (hl + 3) + gr ** 2 / (hr + 3) - (gl + gr) ** 2 / (hl + hr + 3);
      if (gain > best.gain) best = { gain, at };
    }
    expect(model.trees[0].threshold[0]).toBe(best.at + 0.5);
    expect(model.trees[0].gain[0]).toBeCloseTo(best.gain, 6);
  });

  it('lies half way between two values of the training set', () => {
    expect(stump(numeric([1, 2, 5, 6], [0, 0, 1, 1])).trees[0].threshold[0]).toBe(3.5);
  });

  it('keeps apart two neighbours of float32', () => {
    const next = Math.fround(1 + 2 ** -23);
    const model = stump(numeric([1, 1, next, next], [0, 0, 1, 1]));
    expect([...predictRaw(model, numeric([1, next], [0, 0]))]).toEqual([0, 1]);
  });

  it('sends missing values to the side that they resemble', () => {
    const data = numeric([1, 1, 2, 2, Number.NaN, Number.NaN], [0, 0, 1, 1, 1, 1]);
    const model = stump(data);
    expect([...predictRaw(model, data)]).toEqual([0, 0, 1, 1, 1, 1]);
    expect(stump(numeric([1, 1, 2, 2, Number.NaN], [0, 0, 1, 1, 0])).trees[0].missingLeft[0]).toBe(1);
  });

  it('can part missing values from all others', () => {
    const data = numeric([1, 2, 3, Number.NaN, Number.NaN], [0, 0, 0, 1, 1]);
    expect([...predictRaw(stump(data), data)].map((z) => Math.round(z * 1e6))).toEqual([0, 0, 0, 1e6, 1e6]);
    expect(predictRaw(stump(data), numeric([-1e30], [0]))[0]).toBe(0);
  });

  it('sends missing values to the larger child where training saw none', () => {
    const model = stump(numeric([1, 2, 2, 2], [0, 1, 1, 1]));
    expect(predictRaw(model, numeric([Number.NaN], [0]))[0]).toBe(1);
  });

  it('finds a set of categories', () => {
    const cells = ['a', 'b', 'c', 'd', 'a', 'b', 'c', 'd'];
    const data = categorical(cells, [0, 1, 0, 1, 0, 1, 0, 1], ['a', 'b', 'c', 'd']);
    const model = stump(data, { maxSplitCategories: 2 });
    expect([...predictRaw(model, data)]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
    expect([
      [0, 2],
      [1, 3],
    ]).toContainEqual(model.trees[0].categories[0]);
  });

  it('parts one category from the rest by default', () => {
    const data = categorical(['a', 'b', 'c', 'a', 'b', 'c'], [0, 0.9, 1, 0, 0.9, 1], ['a', 'b', 'c']);
    expect(stump(data).trees[0].categories[0]).toEqual([0]);
  });

  it('sends unseen, rare and missing categories the way that missing ones went in training', () => {
    const data = categorical(
      ['a', 'a', 'a', 'b', 'b', 'b', null, null, 'rare'],
      [0, 0, 0, 1, 1, 1, 1, 1, 1],
      ['a', 'b', 'rare'],
    );
    const model = stump(data, { minRowsPerCategory: 2 });
    expect(model.features[0]).toEqual({ name: 'c', kind: 'categorical', categories: ['a', 'b'] });
    expect([...predictRaw(model, categorical(['new', 'a', null, 'rare'], [0, 0, 0, 0], ['new', 'a', 'rare']))]).toEqual(
      [1, 0, 1, 1],
    );
  });

  it('keeps the commonest categories when there are more than bins', () => {
    const categories = Array.from({ length: 600 }, (_, i) => `k${i}`);
    const cells = categories.flatMap((c, i) => (i < 300 ? [c, c, c] : [c, c]));
    const model = stump(
      categorical(
        cells,
        cells.map((_, i) => i % 2),
        categories,
      ),
    );
    const [feature] = model.features;
    expect(feature.kind === 'categorical' && feature.categories).toHaveLength(254);
    expect(feature.kind === 'categorical' && feature.categories.every((c) => Number(c.slice(1)) < 300)).toBe(true);
  });
});

describe('training', () => {
  it('stops early and keeps the number of trees that was best on the validation set', () => {
    const validation = generated(2, 1000);
    const losses: number[] = [];
    const model = train(
      generated(1, 1500),
      { ...small, trees: 400, earlyStoppingRounds: 10 },
      {
        seed: 1,
        validation,
        onTree: (_, loss) => {
          losses.push(loss as number);
          return undefined;
        },
      },
    );
    const best = Math.min(...losses);
    expect(model.treeCount).toBe(losses.indexOf(best) + 1);
    expect(losses).toHaveLength(model.treeCount + 10);
    expect(model.validationLoss).toBe(best);
    const p = predict(model, validation);
    const loss = -p.reduce((sum, q, i) => sum + Math.log(validation.labels[i] === 1 ? q : 1 - q), 0) / 1000;
    expect(loss).toBeCloseTo(best, 12);
  });

  it('stops when it is told to', () => {
    expect(train(generated(1, 500), small, { seed: 1, onTree: (trees) => trees < 3 }).treeCount).toBe(3);
  });

  it('grows a prefix of the same trees when fewer are asked for', () => {
    const data = generated(1, 800);
    const long = train(data, { ...small, trees: 12 }, { seed: 3 });
    expect(train(data, { ...small, trees: 5 }, { seed: 3 }).trees).toEqual(long.trees.slice(0, 5));
  });

  it('answers one class with a constant near it', () => {
    const data = { ...generated(1, 200), labels: new Uint8Array(200) };
    const model = train(data, small, { seed: 1 });
    expect(model.treeCount).toBe(0);
    expect(predict(model, data)[0]).toBeCloseTo(0.5 / 201, 6);
  });

  it('ranks the features that made the labels above noise', () => {
    const order = gainImportance(train(generated(1, 5000), { ...small, columnSampling: 1 }, { seed: 1 })).map(
      ({ name }) => name,
    );
    expect(order).toHaveLength(6);
    expect(order.at(-1)).toBe('x4');
  });

  it('ignores the weight of a constant column', () => {
    const data = generated(1, 600);
    const model = train(
      {
        ...data,
        columns: [...data.columns, { name: 'z', kind: 'numeric', values: new Float64Array(600).fill(Number.NaN) }],
      },
      small,
      { seed: 1 },
    );
    expect(gainImportance(model).find(({ name }) => name === 'z')).toEqual({ name: 'z', gain: 0, splits: 0 });
  });
});
