import { readFileSync } from 'node:fs';
import {
  auc,
  type BoosterModel,
  type BoosterTree,
  type Column,
  calibrate,
  predictRaw,
  Random,
  train,
} from '@driftloop/algorithms';
import { featureColumns, type ModelSpec, parseModelSpec } from '@driftloop/contracts';
import { boosterGraph, checkInterface, inspectGraph } from './index.js';
import { type GraphFeeds, runGraph } from './testing/run-graph.js';

const flights = parseModelSpec(readFileSync('examples/flights/model.yaml', 'utf8'));
const platt = { kind: 'platt', a: 1.1, b: -0.07 } as const;

/** A table in the spec's columns: a third of the cells of some columns missing, categories that are rare. */
function table(spec: ModelSpec, rows: number, random: Random, unseen = false) {
  const columns = featureColumns(spec).map(({ name, kind }, c): Column => {
    if (kind === 'number') {
      const values = Float64Array.from({ length: rows }, () =>
        random.uniform() < (c % 4) / 9 ? Number.NaN : cell(random),
      );
      return { name, kind: 'numeric', values };
    }
    const categories = Array.from({ length: unseen ? 90 : 70 }, (_, i) => `${name}-${i}`);
    const draw = () => (random.uniform() < 0.05 ? -1 : Math.floor(random.uniform() ** 2 * categories.length));
    return { name, kind: 'categorical', categories, codes: Int32Array.from({ length: rows }, draw) };
  });
  return { rows, columns };
}

/** Doubles that are no float32, ties, and values far out. */
function cell(random: Random): number {
  const kind = random.integer(10);
  return kind < 3 ? random.integer(8) : kind < 9 ? random.normal() : random.normal(0, 1e30);
}

function feedsOf(columns: readonly Column[]): GraphFeeds {
  return Object.fromEntries(
    columns.map((column) => [
      column.name,
      column.kind === 'numeric'
        ? column.values
        : Array.from(column.codes, (code) => (code < 0 ? '' : column.categories[code])),
    ]),
  );
}

async function worstDifference(model: BoosterModel, spec: ModelSpec, data: ReturnType<typeof table>): Promise<number> {
  const { probability } = await runGraph(boosterGraph(model, platt, spec), feedsOf(data.columns));
  const expected = calibrate(platt, predictRaw(model, data));
  expect(probability.dims).toEqual([data.rows, 1]);
  return probability.data.reduce((worst, p, i) => Math.max(worst, Math.abs(p - expected[i])), 0);
}

const leaf = (value: number): BoosterTree => ({
  feature: [-1],
  threshold: [0],
  categories: [null],
  missingLeft: [0],
  left: [-1],
  right: [-1],
  value: [value],
  gain: [0],
  rows: [1],
});

describe('a booster as a graph', () => {
  const random = new Random(5);
  const history = table(flights, 6000, random);
  const [carrier] = history.columns;
  if (carrier.kind !== 'categorical') throw new TypeError('carrier is a text');
  const labels = Float64Array.from({ length: history.rows }, (_, row) => {
    const missing = Number.isNaN((history.columns[5] as { values: Float64Array }).values[row]) ? 1 : 0;
    return random.uniform() < 0.15 + 0.3 * missing + 0.4 * ((carrier.codes[row] + 1) % 3 === 0 ? 1 : 0) ? 1 : 0;
  });
  const model = train(
    { ...history, labels },
    { trees: 80, leaves: 31, minRowsPerLeaf: 20, minRowsPerCategory: 5, learningRate: 0.1 },
    { seed: 3 },
  );

  it('says what the trainer says on every row, with missing numbers and texts, to 1e-12', async () => {
    const sets = model.trees.flatMap((tree) => tree.categories).filter((set) => set !== null);
    expect(sets.length).toBeGreaterThan(20);
    expect(await worstDifference(model, flights, history)).toBeLessThan(1e-12);
  });

  it('sends categories that training never saw the trainer’s way', async () => {
    expect(await worstDifference(model, flights, table(flights, 3000, random, true))).toBeLessThan(1e-12);
  });

  it('answers a batch of one as it answers it among others', async () => {
    const few = table(flights, 1, random);
    expect(await worstDifference(model, flights, few)).toBeLessThan(1e-12);
  });

  it('compares as float32 does: a double just above a threshold that rounds onto it goes left', async () => {
    const at = flights.spec.features.length && model.features.findIndex((f) => f.name === 'distance');
    const tree: BoosterTree = {
      ...leaf(0),
      feature: [at, -1, -1],
      threshold: [Math.fround(0.1), 0, 0],
      categories: [null, null, null],
      missingLeft: [0, 0, 0],
      left: [1, -1, -1],
      right: [2, -1, -1],
      value: [0, -1, 1],
      gain: [1, 0, 0],
      rows: [2, 1, 1],
    };
    const rows = table(flights, 3, random);
    const column = rows.columns.find((c) => c.name === 'distance') as { values: Float64Array };
    column.values.set([Math.fround(0.1) + 1e-12, Math.fround(0.1) + 1e-7, Number.NaN]);
    const { probability } = await runGraph(
      boosterGraph({ ...model, baseScore: 0, trees: [tree] }, platt, flights),
      feedsOf(rows.columns),
    );
    expect(probability.data.map((p) => p > 0.5)).toEqual([false, true, true]);
  });

  it('compares numbers that float32 would merge as they are, beside those that it does not', async () => {
    const far = table(flights, 3000, random);
    for (const name of ['distance', 'temp']) {
      const { values } = far.columns.find((c) => c.name === name) as { values: Float64Array };
      for (let row = 0; row < far.rows; row++) values[row] = 1.7e12 + row / 4;
    }
    const labels = Float64Array.from({ length: far.rows }, (_, row) => (row % 300 < 150 ? 1 : 0));
    const parameters = { trees: 40, leaves: 31, minRowsPerLeaf: 5, minRowsPerCategory: 5, learningRate: 0.3 };
    const fine = train({ ...far, labels }, parameters, { seed: 3 });
    const doubles = fine.features.filter((f) => f.kind === 'numeric' && f.precision === 'double');
    expect(doubles.map(({ name }) => name).sort()).toEqual(['distance', 'temp']);
    expect(await worstDifference(fine, flights, far)).toBeLessThan(1e-12);
    const { probability } = await runGraph(boosterGraph(fine, platt, flights), feedsOf(far.columns));
    expect(auc(probability.data, labels)).toBeGreaterThan(0.99);
  });

  it('holds trees that are one leaf, empty category sets, and no tree at all', async () => {
    const empty = structuredClone(
      model.trees.find((tree) => tree.categories[0] !== null) ?? model.trees[0],
    ) as BoosterTree;
    (empty.categories as (number[] | null)[])[0] = [];
    const rows = table(flights, 500, random);
    for (const trees of [[empty], [leaf(0.5), ...model.trees.slice(0, 3), leaf(-0.2)], [leaf(0.3)], []])
      expect(await worstDifference({ ...model, trees }, flights, rows)).toBeLessThan(1e-12);
  });

  it('keeps probabilities off 0 and 1', async () => {
    const sure = { ...model, trees: [leaf(1000)] };
    const { probability } = await runGraph(
      boosterGraph(sure, platt, flights),
      feedsOf(table(flights, 1, random).columns),
    );
    expect(probability.data).toEqual([1 - 1e-6]);
  });

  it('has the same bytes each time, and the spec’s border', () => {
    const bytes = boosterGraph(model, platt, flights, { codeVersion: '1' });
    expect(boosterGraph(structuredClone(model), { ...platt }, structuredClone(flights), { codeVersion: '1' })).toEqual(
      bytes,
    );
    expect(() => checkInterface(inspectGraph(bytes), flights)).not.toThrow();
    expect(inspectGraph(bytes).metadata).toMatchObject({ model: 'flights', recipe: 'boosting', code_version: '1' });
  });

  it.each(['base', 'a', 'b', 'floor', 'ceiling'])(
    'takes a feature that is called like one of its constants: %s',
    async (name) => {
      const named = JSON.parse(JSON.stringify(flights).replaceAll('"distance"', `"${name}"`)) as ModelSpec;
      const rows = table(named, 50, random);
      const features = model.features.map((feature) => ({ ...feature, name: feature.name.replace('distance', name) }));
      expect(await worstDifference({ ...model, features }, named, rows)).toBeLessThan(1e-12);
    },
  );

  it('refuses a model whose features are not the spec’s columns', () => {
    const renamed = {
      ...model,
      features: [{ name: 'dep_delay', kind: 'numeric' as const }, ...model.features.slice(1)],
    };
    const retyped = { ...model, features: [{ name: 'carrier', kind: 'numeric' as const }, ...model.features.slice(1)] };
    for (const wrong of [renamed, retyped])
      expect(() => boosterGraph(wrong, platt, flights)).toThrow(expect.objectContaining({ code: 'MODEL_INTERFACE' }));
  });
});
