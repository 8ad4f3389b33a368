import fc from 'fast-check';
import type { DaySum } from '../day-sums.js';
import { compareBlocks, logLossNano, nonInferiority, pairedLoss, superiority } from './paired-blocks.js';
import { harmBySlice, holm } from './slices.js';
import { studentQuantile } from './student-t.js';

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const someDays = fc.uniqueArray(
  fc.record({
    day: fc.integer({ min: 10, max: 99 }).map(String),
    rows: fc.integer({ min: 1, max: 900 }),
    sum: fc.integer({ min: -1e12, max: 1e12 }),
  }),
  { selector: (d) => d.day, minLength: 2, maxLength: 21 },
);

describe('the paired loss', () => {
  it('is a whole number, antisymmetric, nought for equal predictions, positive for the better challenger', () => {
    fc.assert(
      fc.property(probability, probability, fc.constantFrom<0 | 1>(0, 1), (p, q, y) => {
        expect(Number.isSafeInteger(pairedLoss(p, q, y))).toBe(true);
        expect(pairedLoss(p, q, y) + pairedLoss(q, p, y)).toBe(0);
        expect(pairedLoss(p, p, y)).toBe(0);
      }),
      { seed: 6 },
    );
    expect(pairedLoss(0.5, 0.9, 1)).toBe(587_786_665);
  });

  it('clips probabilities at one in a hundred', () => {
    expect(logLossNano(0, 1)).toBe(logLossNano(0.01, 1));
    expect(logLossNano(1, 0)).toBe(Math.round(Math.log(100) * 1e9));
    expect(logLossNano(Number.NaN, 1)).toBeNaN();
  });
});

describe('the block comparison', () => {
  it('is the formula by hand', () => {
    const c = compareBlocks([
      { day: 'a', rows: 100, sum: 2e9 },
      { day: 'b', rows: 200, sum: 1e9 },
      { day: 'c', rows: 100, sum: -1e9 },
    ]);
    const e = [2 - 0.5, 1 - 1, -1 - 0.5];
    const se = Math.sqrt((e.reduce((s, x) => s + x * x, 0) * 3) / 2) / 400;
    expect(c).toMatchObject({ m: 0.005, days: 3, rows: 400, window: 'a to c' });
    expect(c.se).toBeCloseTo(se, 15);
    expect(c.t).toBeCloseTo(0.005 / se, 12);
  });

  it('does not depend on the order of days, and turns its sign when the models change places', () => {
    fc.assert(
      fc.property(someDays, (days) => {
        const c = compareBlocks(days);
        expect(compareBlocks([...days].reverse())).toEqual(c);
        const swapped = compareBlocks(days.map((d) => ({ ...d, sum: -d.sum })));
        expect(swapped.m + c.m).toBeCloseTo(0, 15);
        expect(swapped.t + c.t).toBeCloseTo(0, 9);
        expect(Number.isFinite(c.t)).toBe(true);
      }),
      { seed: 7 },
    );
  });

  it('calls a model non-inferior to itself and not superior', () => {
    const same = compareBlocks(Array.from({ length: 8 }, (_, d) => ({ day: `${d}`, rows: 300, sum: 0 })));
    expect(nonInferiority(same)).toMatchObject({ holds: true, statistic: 0, threshold: -studentQuantile(0.9, 7) });
    expect(superiority(same).holds).toBe(false);
  });

  it('stays finite when every day loses alike', () => {
    const constant = compareBlocks(Array.from({ length: 8 }, (_, d) => ({ day: `${d}`, rows: 300, sum: -300e6 })));
    expect(nonInferiority(constant)).toMatchObject({ holds: false, statistic: -1e9 });
  });

  it('knows nothing from one day or none', () => {
    const day: DaySum = { day: 'a', rows: 300, sum: 3e12 };
    for (const c of [compareBlocks([]), compareBlocks([day])]) {
      expect([nonInferiority(c).holds, superiority(c).holds, nonInferiority(c).statistic]).toEqual([false, false, 0]);
    }
  });
});

describe('harm by slice', () => {
  const slice = (name: string, rows: number, mean: number): { slice: string; days: DaySum[] } => ({
    slice: name,
    days: Array.from({ length: 10 }, (_, d) => ({
      day: `${d}`,
      rows,
      sum: Math.round(rows * 1e9 * (mean + (d % 2 ? 0.002 : -0.002))),
    })),
  });

  it('steps down as Holm does', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005], 0.05).map((h) => h.rejected)).toEqual([true, false, false, true]);
    expect(holm([0.02], 0.05)).toEqual([{ threshold: 0.05, rejected: true }]);
    expect(holm([], 0.05)).toEqual([]);
  });

  it('finds the one harmed slice, worst first, and leaves small ones alone', () => {
    const found = harmBySlice([slice('a', 90, 0.001), slice('b', 90, -0.02), slice('tiny', 20, -0.5)]);
    expect(found.map((e) => [e.subject, e.holds])).toEqual([
      ['b', true],
      ['a', false],
    ]);
    expect(found[0].statistic).toBeLessThan(found[0].threshold);
  });

  it('asks for more evidence of each when there are many', () => {
    const few = harmBySlice([slice('a', 90, -0.002)])[0];
    const many = harmBySlice(Array.from({ length: 40 }, (_, i) => slice(`s${i}`, 90, i === 0 ? -0.002 : 0.001)))[0];
    expect(many.threshold).toBeLessThan(few.threshold);
  });
});
