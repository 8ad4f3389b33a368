import { readFileSync } from 'node:fs';
import { BadInput } from '../bad-input.js';
import { generatedScores } from '../boosting/parity/generated.js';
import { auc, brier, confusion, evaluate, expectedCalibrationError, logLoss, precision, reliability } from './index.js';

const recorded: { cases: Record<string, number>[] } = JSON.parse(
  readFileSync(new URL('./parity/metrics.json', import.meta.url), 'utf8'),
);

describe('metrics', () => {
  it.each(recorded.cases)(
    'equal scikit-learn to 1e-12 on $rows rows with $ties distinct scores',
    ({ seed, rows, ties, ...peer }) => {
      const { p, y } = generatedScores(seed, rows, ties);
      const ours = evaluate(p, y, { clip: 1e-6 });
      for (const [name, value] of Object.entries(peer))
        expect(Math.abs(ours[name as keyof typeof ours] - (value as number))).toBeLessThan(1e-12);
    },
  );

  it('count a tie as one half in the AUC', () => {
    expect(auc([0.5, 0.5], [0, 1])).toBe(0.5);
    expect(auc([-0, 0], [1, 0])).toBe(0.5);
    expect(auc([0.1, 0.4, 0.4, 0.8], [0, 0, 1, 1])).toBe(0.875);
  });

  it('agree with the definition of the AUC, pair by pair', () => {
    const { p, y } = generatedScores(5, 300, 40);
    let wins = 0;
    let pairs = 0;
    for (let i = 0; i < 300; i++)
      for (let j = 0; j < 300; j++) {
        if (y[i] !== 1 || y[j] !== 0) continue;
        pairs++;
        wins += p[i] > p[j] ? 1 : p[i] === p[j] ? 0.5 : 0;
      }
    expect(auc(p, y)).toBe(wins / pairs);
  });

  it('leave scores and labels as they were', () => {
    const { p, y } = generatedScores(6, 100, 10);
    evaluate(p, y);
    expect({ p, y }).toEqual(generatedScores(6, 100, 10));
  });

  it('have no AUC with a single class, and no ratio without a denominator', () => {
    expect(auc([0.2, 0.3], [1, 1])).toBeNaN();
    expect(precision(confusion([0.1, 0.2], [0, 1]))).toBe(0);
  });

  it('make a certain error as costly as the clip says', () => {
    expect(logLoss([0], [1], 1e-6)).toBeCloseTo(-Math.log(1e-6), 12);
    expect(logLoss([0], [1], 0)).toBe(Infinity);
  });

  it('call a forecast calibrated when each bin happens as often as it says', () => {
    expect(expectedCalibrationError([0.25, 0.25, 0.25, 0.25], [0, 0, 0, 1])).toBe(0);
    expect(brier([1, 0], [1, 0])).toBe(0);
    expect(reliability([0, 1], [0, 1]).map(({ rows }) => rows)).toEqual([1, 1]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no rows', () => auc([], []), /no rows/],
    ['lengths that differ', () => brier([0.5], [0, 1]), /1 scores for 2 labels/],
    ['a label of 2', () => auc([0.5], [2]), /row 0 has label 2/],
    ['a NaN score', () => auc([Number.NaN], [1]), /row 0 has score NaN/],
    ['log-odds for probabilities', () => logLoss([1.2], [1]), /row 0 has probability 1.2/],
    ['a clip of one half', () => logLoss([0.5], [1], 0.5), /clip/],
    ['no bins', () => reliability([0.5], [1], 0), /bins/],
  ])('refuse %s', (_, call, message) => {
    expect(call).toThrow(BadInput);
    expect(call).toThrow(message);
  });
});
