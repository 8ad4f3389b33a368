import { readFileSync } from 'node:fs';
import { auc, logLoss } from '../metrics/index.js';
import { train } from './booster.js';
import type { Dataset } from './dataset.js';
import { generated } from './parity/generated.js';
import { predict } from './predict.js';

const recorded = JSON.parse(readFileSync(new URL('./parity/boosting.json', import.meta.url), 'utf8'));

/** LightGBM's settings in record.py, in our words. */
const parameters = {
  trees: 100,
  learningRate: 0.1,
  leaves: 15,
  minRowsPerLeaf: 20,
  minHessian: 1e-3,
  l2: 1,
  maxBins: 255,
  columnSampling: 1,
  rowSampling: 1,
  minRowsPerCategory: 50,
  categorySmoothing: 10,
  categoryL2: 10,
  maxSplitCategories: 32,
};
/** Taking one bin fewer moves the test loss of either method by up to 0.002 (0.6% for the squared loss): no smaller gap means anything. */
const MARGIN = 0.002;
const numericOnly = (data: Dataset): Dataset => ({
  ...data,
  columns: data.columns.filter(({ kind }) => kind === 'numeric'),
});

describe('beside LightGBM, on the same generated data with the same settings', () => {
  const training = generated(1, 5000);
  const validation = generated(2, 3000);
  const test = generated(3, 5000);

  it('rebuilds the recorded data', () => {
    const values = training.columns.flatMap((column) => [
      ...(column.kind === 'numeric' ? column.values : column.codes),
    ]);
    const present = values.filter((v) => !Number.isNaN(v));
    expect(values.length - present.length).toBe(recorded.checks.missing);
    expect(present.reduce((a, b) => a + b, 0)).toBeCloseTo(recorded.checks.sum, 6);
    expect(training.labels.filter((label) => label === 1).length).toBe(recorded.checks.ones);
    expect(training.targets.reduce((a, b) => a + b, 0)).toBeCloseTo(recorded.checks.targets, 6);
  });

  it.each([
    ['numeric', numericOnly],
    ['categorical', (data: Dataset) => data],
  ])(`fits and generalizes as well on %s columns, within ${MARGIN}`, (name, view) => {
    const peer = recorded[name];
    const model = train(view(training), parameters, { seed: 1 });
    const p = predict(model, view(test));
    expect(logLoss(predict(model, view(training)), training.labels)).toBeLessThan(peer.trainLogLoss + MARGIN);
    expect(logLoss(predict(model, view(training)), training.labels)).toBeGreaterThan(peer.trainLogLoss - 3 * MARGIN);
    expect(logLoss(p, test.labels)).toBeLessThan(peer.testLogLoss + MARGIN);
    expect(auc(p, test.labels)).toBeGreaterThan(peer.testAuc - MARGIN);
  });

  it.each([
    ['numeric', numericOnly],
    ['categorical', (data: Dataset) => data],
  ])(`stops early at as good a loss on %s columns, within ${MARGIN}`, (name, view) => {
    const options = { seed: 1, validation: view(validation) };
    const model = train(view(training), { ...parameters, trees: 500, earlyStoppingRounds: 20 }, options);
    expect(model.validationLoss).toBeLessThan(recorded[name].stoppedLogLoss + MARGIN);
  });

  it('fits a real-valued label as well, within 1.5%', () => {
    const view = (data: typeof training): Dataset => numericOnly({ ...data, labels: data.targets });
    const model = train(view(training), { ...parameters, loss: 'squared' }, { seed: 1 });
    const error = (data: typeof training): number =>
      predict(model, data).reduce((sum, z, row) => sum + (z - data.targets[row]) ** 2, 0) / data.rows;
    expect(error(training)).toBeLessThan(1.015 * recorded.squared.trainError);
    expect(error(test)).toBeLessThan(1.015 * recorded.squared.testError);
  });
});
