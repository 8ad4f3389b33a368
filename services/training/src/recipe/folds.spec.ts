import { calibrate, predictRaw, selectRows, train } from '@driftloop/algorithms';
import { tableOf } from '../testing/table.js';
import { parcels } from '../testing/training.js';
import { fitCalibrator, foldOfDays } from './folds.js';
import { boosterParameters } from './parameters.js';

const days = (count: number) => Array.from({ length: count }, (_, day) => day * 86_400_000);

describe('folds', () => {
  it('deal blocks of neighbouring days evenly, the same way for the same seed', () => {
    const folds = foldOfDays(days(90), 3, 7);
    const sizes = [0, 1, 2].map((fold) => [...folds.values()].filter((f) => f === fold).length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(3);
    const changes = days(90).filter((day, i) => i > 0 && folds.get(day) !== folds.get(days(90)[i - 1])).length;
    expect(changes).toBeLessThan(30);
    expect(foldOfDays(days(90), 3, 7)).toEqual(folds);
    expect(foldOfDays(days(90), 3, 8)).not.toEqual(folds);
  });

  it('give every fold a day where there are as many days as folds', () => {
    expect(new Set(foldOfDays(days(3), 3, 1).values()).size).toBe(3);
  });
});

describe('the calibrator', () => {
  const table = tableOf({ days: 40, perDay: 100, ofDay: (_, random) => random.normal(0, 0.5) });
  const rows = Int32Array.from({ length: table.rows }, (_, row) => row);

  it('draws scores in that a recipe makes too bold', () => {
    const bold = {
      ...parcels().spec.training.parameters,
      trees: 300,
      learningRate: 0.3,
      minRowsPerLeaf: 5,
      l2: 0,
      leaves: 31,
    };
    const { a, rows: used } = fitCalibrator(table, rows, bold, parcels());
    expect(a).toBeLessThan(0.6);
    expect(a).toBeGreaterThan(0);
    expect(used).toBe(table.rows);
  });

  it('leaves a sound recipe as it is', () => {
    const calibrator = fitCalibrator(table, rows, parcels().spec.training.parameters, parcels());
    expect(calibrator).toMatchObject({ a: 1, b: 0, rows: table.rows });
    expect(calibrator.t).toBeLessThanOrEqual(1);
  });

  it('makes probabilities of days never seen sum to what happens there', () => {
    const spec = parcels();
    const { parameters, seed } = spec.spec.training;
    const calibrator = fitCalibrator(table, rows, parameters, spec);
    const later = tableOf({ days: 400, perDay: 20, seed: 9, ofDay: (_, random) => random.normal(0, 0.5) });
    const model = train(selectRows(table, rows), boosterParameters(parameters, rows.length), { seed });
    const expected = calibrate(calibrator, predictRaw(model, later)).reduce((sum, p) => sum + p, 0);
    expect(expected / later.labels.reduce((sum, y) => sum + y, 0)).toBeCloseTo(1, 1);
  });
});
