import { readFileSync } from 'node:fs';
import { BadInput } from '../bad-input.js';
import { generatedScores } from '../boosting/parity/generated.js';
import { logLoss } from '../metrics/index.js';
import { calibrate, fitIsotonic, fitPlatt, IDENTITY } from './index.js';

const recorded = JSON.parse(readFileSync(new URL('./parity/calibration.json', import.meta.url), 'utf8'));
const { p, y } = generatedScores(21, 2000, 256);
const scores = p.map((q) => 8 * q - 5);

describe('Platt scaling', () => {
  const calibrator = fitPlatt(scores, y);

  it("finds scikit-learn's coefficients", () => {
    // Its optimizer stops at a gradient of 1e-5; ours at 1e-10.
    expect(Math.abs(calibrator.a - recorded.platt.a)).toBeLessThan(1e-4);
    expect(Math.abs(calibrator.b - recorded.platt.b)).toBeLessThan(1e-4);
  });

  it('keeps coefficients that float32 can hold, and survives JSON', () => {
    expect(Math.fround(calibrator.a)).toBe(calibrator.a);
    expect(Math.fround(calibrator.b)).toBe(calibrator.b);
    expect(calibrate(JSON.parse(JSON.stringify(calibrator)), scores)).toEqual(calibrate(calibrator, scores));
  });

  it('makes the mean probability the rate, and the loss smaller', () => {
    const q = calibrate(calibrator, scores);
    const mean = (a: ArrayLike<number>): number => Array.from(a).reduce((s, x) => s + x, 0) / a.length;
    expect(Math.abs(mean(q) - mean(y))).toBeLessThan(1e-3);
    expect(logLoss(q, y)).toBeLessThan(logLoss(calibrate(IDENTITY, scores), y) - 0.1);
  });

  it('undoes a distortion of its own kind', () => {
    const truth = calibrate({ kind: 'platt', a: 0.5, b: 1 }, scores);
    const drawn = Uint8Array.from(generatedScores(22, 2000, 1 << 20).p, (u, i) => (u < truth[i] ? 1 : 0));
    const fitted = fitPlatt(scores, drawn);
    expect(fitted.a).toBeCloseTo(0.5, 0);
    expect(fitted.b).toBeCloseTo(1, 0);
  });

  it.each<[string, number[], number[]]>([
    ['one class', [1, 2, 3], [1, 1, 1]],
    ['separable scores', [-3, -2, 2, 3], [0, 0, 1, 1]],
    ['constant scores', [0.7, 0.7, 0.7], [0, 1, 1]],
    ['a single row', [0], [0]],
    ['enormous scores', [-1e6, 1e6, -1e6, 1e6], [0, 1, 1, 1]],
  ])('stays finite on %s, with probabilities strictly between 0 and 1 where it was fitted', (_, s, labels) => {
    const { a, b } = fitPlatt(s, labels);
    expect(Number.isFinite(a) && Number.isFinite(b)).toBe(true);
    for (const q of calibrate({ kind: 'platt', a, b }, Float64Array.from(s))) {
      expect(q).toBeGreaterThan(0);
      expect(q).toBeLessThan(1);
    }
  });

  it('refuses scores that are not finite', () => {
    expect(() => fitPlatt([Infinity], [1])).toThrow(BadInput);
    expect(() => fitPlatt([], [])).toThrow(/no rows/);
  });
});

describe('isotonic calibration', () => {
  const calibrator = fitIsotonic(scores, y);

  it('equals scikit-learn to 1e-12', () => {
    const ours = calibrate(calibrator, Float64Array.from(recorded.at));
    recorded.isotonic.forEach((value: number, i: number) => {
      expect(Math.abs(ours[i] - value)).toBeLessThan(1e-12);
    });
  });

  it('never falls, stays within [0, 1], and survives JSON', () => {
    const grid = Float64Array.from({ length: 500 }, (_, i) => i / 30 - 8);
    const q = calibrate(JSON.parse(JSON.stringify(calibrator)), grid);
    for (let i = 1; i < q.length; i++) expect(q[i]).toBeGreaterThanOrEqual(q[i - 1]);
    expect(q[0]).toBeGreaterThanOrEqual(0);
    expect(q[499]).toBeLessThanOrEqual(1);
  });

  it('pools to the mean when the labels only fall', () => {
    expect(fitIsotonic([1, 2, 3, 4], [1, 1, 0, 0])).toEqual({ kind: 'isotonic', x: [1, 4], y: [0.5, 0.5] });
  });
});
