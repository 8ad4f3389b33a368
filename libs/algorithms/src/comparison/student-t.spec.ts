import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { BadInput } from '../bad-input.js';
import { binomialTail, regularizedBeta } from './incomplete-beta.js';
import { studentCdf, studentQuantile, studentTail } from './student-t.js';

type Recorded = {
  quantiles: [number, number, number][];
  tails: [number, number, number][];
  binomials: [number, number, number, number][];
};
const recorded: Recorded = JSON.parse(readFileSync(new URL('./parity/scipy.json', import.meta.url), 'utf8'));

const relative = (mine: number, theirs: number): number => Math.abs(mine - theirs) / Math.max(1e-300, Math.abs(theirs));

describe("Student's t", () => {
  it('gives the quantiles that SciPy gives, to eleven digits', () => {
    for (const [p, df, expected] of recorded.quantiles) {
      const error = p === 0.5 ? Math.abs(studentQuantile(p, df)) : relative(studentQuantile(p, df), expected);
      expect({ p, df, close: error < 1e-11 || error }).toEqual({ p, df, close: true });
    }
  });

  it('gives the upper tails that SciPy gives, far out too', () => {
    for (const [t, df, expected] of recorded.tails) {
      const error = relative(studentTail(t, df), expected);
      expect({ t, df, close: expected < 1e-250 || error < 1e-10 || error }).toEqual({ t, df, close: true });
    }
  });

  it('inverts its own distribution function', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }),
        fc.double({ min: 0.5, max: 5000, noNaN: true }),
        (p, df) => {
          expect(Math.abs(studentCdf(studentQuantile(p, df), df) - p)).toBeLessThan(1e-12);
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  it('is symmetric and grows with t', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.double({ min: 0.5, max: 300, noNaN: true }),
        (t, df) => {
          expect(studentCdf(t, df) + studentCdf(-t, df)).toBeCloseTo(1, 12);
          expect(studentTail(t + 0.1, df)).toBeLessThanOrEqual(studentTail(t, df));
        },
      ),
      { numRuns: 200, seed: 2 },
    );
  });

  it('refuses what has no answer', () => {
    expect(() => studentQuantile(1, 5)).toThrow(BadInput);
    expect(() => studentQuantile(0.9, 0)).toThrow('at least two blocks');
    expect(() => studentTail(Number.NaN, 5)).toThrow(BadInput);
    expect(() => regularizedBeta(1.1, 1, 1)).toThrow(BadInput);
  });
});

describe('the binomial tail', () => {
  it('is what SciPy gives', () => {
    for (const [k, n, p, expected] of recorded.binomials)
      expect(relative(binomialTail(k, n, p), expected)).toBeLessThan(1e-9);
  });

  it('is certain for none and impossible for too many', () => {
    expect([binomialTail(0, 10, 0.3), binomialTail(11, 10, 0.3), binomialTail(10, 10, 1)]).toEqual([1, 0, 1]);
  });
});
