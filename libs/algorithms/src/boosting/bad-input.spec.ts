import { BadInput } from '../bad-input.js';
import { train } from './booster.js';
import { type NumericColumn, selectRows } from './dataset.js';
import { generated } from './parity/generated.js';
import { predictRaw } from './predict.js';

describe('bad input', () => {
  const data = generated(1, 50);
  const [x] = data.columns as [NumericColumn];
  const cases: [string, () => unknown, RegExp][] = [
    [
      'an unknown parameter',
      () => train(data, { rounds: 3 } as never, { seed: 1 }),
      /parameters\.rounds: there is no such parameter/,
    ],
    [
      'a parameter out of range',
      () => train(data, { maxBins: 300 }, { seed: 1 }),
      /parameters\.maxBins: it is 300; pass a whole number from 2 to 255/,
    ],
    ['a share of zero', () => train(data, { rowSampling: 0 }, { seed: 1 }), /parameters\.rowSampling/],
    ['an unknown loss', () => train(data, { loss: 'hinge' as never }, { seed: 1 }), /parameters\.loss/],
    [
      'a column that is too short',
      () => train({ ...data, rows: 51 }, {}, { seed: 1 }),
      /column x0: it has 50 cells and the dataset 51 rows/,
    ],
    [
      'too few labels',
      () => train({ ...data, labels: new Uint8Array(49) }, {}, { seed: 1 }),
      /dataset\.labels: 49 labels for 50 rows/,
    ],
    [
      'a label that is neither 0 nor 1',
      () => train({ ...data, labels: new Uint8Array(50).fill(2) }, {}, { seed: 1 }),
      /row 0 has label 2/,
    ],
    [
      'a label that is missing',
      () => train({ ...data, labels: new Float64Array(50).fill(Number.NaN) }, { loss: 'squared' }, { seed: 1 }),
      /row 0 has label NaN/,
    ],
    [
      'an infinite value',
      () =>
        train(
          { ...data, columns: [{ ...x, values: x.values.map((v, i) => (i === 7 ? Infinity : v)) }] },
          {},
          { seed: 1 },
        ),
      /column x0: row 7 holds Infinity/,
    ],
    [
      'a name that occurs twice',
      () => train({ ...data, columns: [x, x] }, {}, { seed: 1 }),
      /column x0: the name occurs twice/,
    ],
    [
      'a code beyond the dictionary',
      () =>
        train(
          {
            ...data,
            columns: [{ name: 'c', kind: 'categorical', codes: new Int32Array(50).fill(1), categories: ['a'] }],
          },
          {},
          { seed: 1 },
        ),
      /column c: row 0 has code 1 and the dictionary 1 categories/,
    ],
    [
      'a dictionary with a repetition',
      () =>
        train(
          { ...data, columns: [{ name: 'c', kind: 'categorical', codes: new Int32Array(50), categories: ['a', 'a'] }] },
          {},
          { seed: 1 },
        ),
      /twice/,
    ],
    ['no rows', () => train(selectRows(data, []), {}, { seed: 1 }), /it has no rows/],
    ['no columns', () => train({ ...data, columns: [] }, {}, { seed: 1 }), /it has no columns/],
    [
      'a validation set without a column',
      () => train(data, {}, { seed: 1, validation: { ...data, columns: [x] } }),
      /validation: column x1: it is missing/,
    ],
    [
      'a prediction without a column',
      () => predictRaw(train(data, {}, { seed: 1 }), { rows: 50, columns: [x] }),
      /dataset: column x1: it is missing/,
    ],
    ['something that is no model', () => predictRaw({} as never, data), /model\.format/],
    ['an index that is no row', () => selectRows(data, [50]), /index 50 at position 0/],
  ];
  it.each(cases)('says what is wrong with %s', (_, call, message) => {
    expect(call).toThrow(BadInput);
    expect(call).toThrow(message);
  });
});
