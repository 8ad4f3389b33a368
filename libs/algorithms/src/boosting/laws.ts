/**
 * What holds for boosting on any data: a spec names a dataset and parameters, and every law is tested on them.
 */
import { train } from './booster.js';
import { type Column, type Dataset, selectRows } from './dataset.js';
import { type BoosterModel, type BoosterTree, isDouble } from './model.js';
import type { BoosterParameters } from './parameters.js';
import { contributions, gainImportance, predict, predictRaw } from './predict.js';

/** The same data with the dictionary of every categorical column, and so its codes, the other way round. */
function reverseDictionaries(column: Column): Column {
  if (column.kind === 'numeric') return column;
  const last = column.categories.length - 1;
  return {
    ...column,
    categories: [...column.categories].reverse(),
    codes: column.codes.map((code) => (code < 0 ? code : last - code)),
  };
}

/** Follows one row through a tree by the words of model.ts: an independent reading of the format. Returns the nodes passed. */
export function pathOf(model: BoosterModel, tree: BoosterTree, data: Dataset, row: number): number[] {
  const path = [0];
  for (let node = 0; tree.feature[node] >= 0; path.push(node)) {
    const feature = model.features[tree.feature[node]];
    const column = data.columns.find(({ name }) => name === feature.name) as Column;
    let left: boolean;
    if (column.kind === 'numeric') {
      const x = isDouble(feature) ? column.values[row] : Math.fround(column.values[row]);
      left = Number.isNaN(x) ? tree.missingLeft[node] === 1 : x <= tree.threshold[node];
    } else {
      const known = feature.kind === 'categorical' ? feature.categories : [];
      const index = column.codes[row] < 0 ? -1 : known.indexOf(column.categories[column.codes[row]]);
      left = index < 0 ? tree.missingLeft[node] === 1 : (tree.categories[node] ?? []).includes(index);
    }
    node = left ? tree.left[node] : tree.right[node];
  }
  return path;
}

export function describeBoosting(name: string, make: () => Dataset, parameters: Partial<BoosterParameters>): void {
  describe(`boosting on ${name}`, () => {
    const data = make();
    const fit = (
      from: Dataset = data,
      seed: number | string = 7,
      more: Partial<BoosterParameters> = {},
    ): BoosterModel => train(from, { ...parameters, ...more }, { seed });
    const model = fit();
    const raw = predictRaw(model, data);

    it('predicts finite numbers, and probabilities within [0, 1] for the logistic loss', () => {
      expect(raw).toHaveLength(data.rows);
      expect(raw.every(Number.isFinite)).toBe(true);
      if (model.loss === 'logistic') expect(predict(model, data).every((p) => p >= 0 && p <= 1)).toBe(true);
    });

    it('gives the same model bit for bit from the same seed, and another from another', () => {
      expect(JSON.stringify(fit())).toBe(JSON.stringify(model));
      if (model.parameters.rowSampling < 1 && model.treeCount > 0)
        expect(JSON.stringify(fit(data, 8).trees)).not.toBe(JSON.stringify(model.trees));
    });

    it('predicts the same after a round trip through JSON', () => {
      expect(predictRaw(JSON.parse(JSON.stringify(model)), data)).toEqual(raw);
    });

    it('changes neither the data nor the model', () => {
      const fresh = make();
      const before = JSON.stringify(model);
      predictRaw(model, data);
      contributions(model, data);
      expect(data).toEqual(fresh);
      expect(JSON.stringify(model)).toBe(before);
    });

    it('does not mind the order of columns or of dictionaries', () => {
      const turned = { ...data, columns: [...data.columns].reverse().map(reverseDictionaries) };
      expect(predictRaw(fit(turned), data)).toEqual(raw);
      expect(predictRaw(model, turned)).toEqual(raw);
    });

    it('does not mind the order of rows where all of them are used', () => {
      const backwards = Int32Array.from({ length: data.rows }, (_, i) => data.rows - 1 - i);
      const a = fit(data, 7, { rowSampling: 1 });
      const b = fit(selectRows(data, backwards), 7, { rowSampling: 1 });
      expect(JSON.stringify(b.trees)).toBe(JSON.stringify(a.trees));
    });

    it('predicts a row the same alone as among others', () => {
      for (const row of [0, data.rows >> 1, data.rows - 1])
        expect(predictRaw(model, selectRows(data, [row]))[0]).toBe(raw[row]);
    });

    it('holds only numbers that float32 can hold, where ONNX compares or adds them', () => {
      for (const tree of model.trees)
        for (const [node, threshold] of tree.threshold.entries()) {
          const feature = model.features[tree.feature[node]];
          for (const x of [threshold, tree.value[node], model.baseScore]) {
            expect(Number.isFinite(x)).toBe(true);
            if (x !== threshold || !feature || !isDouble(feature)) expect(Math.fround(x)).toBe(x);
          }
        }
    });

    it('keeps the limits on leaves and rows', () => {
      const { leaves, minRowsPerLeaf } = model.parameters;
      for (const tree of model.trees) {
        expect(tree.feature.filter((f) => f < 0).length).toBeLessThanOrEqual(leaves);
        for (let node = 1; node < tree.rows.length; node++)
          expect(tree.rows[node]).toBeGreaterThanOrEqual(minRowsPerLeaf);
      }
    });

    it('sends rows through a tree by values as it divided them by bins', () => {
      const whole = fit(data, 7, { rowSampling: 1, trees: 5 });
      for (const tree of whole.trees) {
        const reached = tree.rows.map(() => 0);
        for (let row = 0; row < data.rows; row++) for (const node of pathOf(whole, tree, data, row)) reached[node]++;
        expect(reached).toEqual(tree.rows);
      }
    });

    it('predicts the base score plus the leaves that a row reaches', () => {
      for (const row of [1, data.rows - 2]) {
        const sum = model.trees.reduce(
          (s, tree) => s + tree.value[pathOf(model, tree, data, row).at(-1) as number],
          model.baseScore,
        );
        expect(raw[row]).toBe(sum);
      }
    });

    it('attributes exactly the raw prediction', () => {
      const { bias, values, features } = contributions(model, data);
      for (let row = 0; row < data.rows; row += 97) {
        const own = values.subarray(row * features.length, (row + 1) * features.length);
        expect(own.reduce((a, b) => a + b, bias)).toBeCloseTo(raw[row], 9);
      }
    });

    it('shares out all of the gain', () => {
      const total = gainImportance(model).reduce((sum, { gain }) => sum + gain, 0);
      expect(total).toBeCloseTo(model.trees.some((tree) => tree.feature[0] >= 0) ? 1 : 0, 12);
    });
  });
}
