import fc from 'fast-check';
import { BadInput } from '../bad-input.js';
import { Random } from '../random.js';
import {
  binOf,
  binsOf,
  categoricalReference,
  countInto,
  emptyCounts,
  mergeCounts,
  numericReference,
  populationStability,
  stabilityNoise,
} from './psi.js';

const normals = (n: number, mean: number, seed: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: n }, () => random.normal(mean));
};

describe('a numeric reference', () => {
  it('cuts quantile bins of nearly equal counts, and a bin for missing', () => {
    const reference = numericReference([...normals(1000, 0, 1), Number.NaN, null, undefined]);
    expect(reference.edges).toHaveLength(9);
    expect(reference.counts).toEqual([100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 3]);
  });

  it('gives tied values one bin, and a constant one both its sides', () => {
    const binary = numericReference([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(binary.edges).toEqual([0.5]);
    const constant = numericReference([5, 5, 5]);
    expect([4, 5, 6].map((v) => binOf(constant, v))).toEqual([0, 1, 2]);
  });

  it('does not take the same numbers in another precision for others', () => {
    const doubles = [0.1, 0.2, 0.3, 1 / 3, 0.7, 12.34, -0.6];
    for (const sample of [doubles, [0.1], [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 7.3]]) {
      const many = Array.from({ length: 200 }, (_, i) => sample[i % sample.length]);
      for (const [first, later] of [
        [many, many.map(Math.fround)],
        [many.map(Math.fround), many],
        [many.map((v, i) => (i % 2 ? v : Math.fround(v))), many],
      ]) {
        const reference = numericReference(first);
        expect(populationStability(reference, countInto(reference, later))).toBe(0);
      }
    }
  });

  it('tells numbers apart that float32 does not, where the reference does', () => {
    const epochs = Array.from({ length: 1000 }, (_, i) => 1.7e9 + i);
    const reference = numericReference(epochs);
    expect(reference.counts).toEqual([...Array(10).fill(100), 0]);
    const moved = countInto(
      reference,
      epochs.map((v) => v + 300),
    );
    expect(populationStability(reference, moved)).toBeGreaterThan(0.25);
  });

  it('stands on no values at all', () => {
    const reference = numericReference([null, Number.NaN]);
    expect([reference.edges, reference.counts]).toEqual([[], [0, 2]]);
    expect(countInto(reference, [1, null]).counts).toEqual([1, 1]);
  });

  it('puts every number into exactly one bin, higher values into no lower bin', () => {
    const number = fc.double({ noNaN: true });
    fc.assert(
      fc.property(
        fc.array(number, { maxLength: 60 }),
        number,
        number,
        fc.integer({ min: 2, max: 20 }),
        (values, a, b, bins) => {
          const reference = numericReference(values, { bins });
          expect(reference.counts.reduce((s, n) => s + n, 0)).toBe(values.length);
          expect(binOf(reference, Math.min(a, b))).toBeLessThanOrEqual(binOf(reference, Math.max(a, b)));
          expect(binOf(reference, a)).toBeLessThan(binsOf(reference) - 1);
        },
      ),
      { seed: 4 },
    );
  });
});

describe('a categorical reference', () => {
  it('keeps the most frequent values, other and missing', () => {
    const reference = categoricalReference(['UA', 'UA', 'B6', 'B6', 'AA', null], { top: 2 });
    expect([reference.categories, reference.counts]).toEqual([
      ['B6', 'UA'],
      [2, 2, 1, 1],
    ]);
    expect(countInto(reference, ['XX', 'UA', undefined]).counts).toEqual([0, 1, 1, 1]);
  });

  it('refuses a number, as a numeric one refuses a word', () => {
    expect(() => binOf(categoricalReference(['a']), 1)).toThrow(BadInput);
    expect(() => binOf(numericReference([1]), 'a')).toThrow('a string for a numeric feature');
  });
});

describe('the population stability index', () => {
  it('is nought against itself, positive otherwise, and symmetric', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 }).map((c) => ({ counts: c }));
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        expect(populationStability(a, a)).toBe(0);
        expect(populationStability(a, b)).toBeGreaterThanOrEqual(0);
        expect(populationStability(a, b)).toBeCloseTo(populationStability(b, a), 12);
        expect(Number.isFinite(populationStability(a, b))).toBe(true);
      }),
      { seed: 5 },
    );
  });

  it('is what the formula gives by hand', () => {
    const expected = (0.25 - 0.5) * Math.log(0.5) + (0.75 - 0.5) * Math.log(1.5);
    expect(populationStability({ counts: [5e8, 5e8] }, { counts: [2.5e8, 7.5e8] })).toBeCloseTo(expected, 6);
  });

  it('does not depend on how the counts were split and merged', () => {
    const reference = numericReference(normals(2000, 0, 2));
    const week = normals(300, 0.4, 3);
    const parts = mergeCounts(
      countInto(reference, week.slice(100)),
      emptyCounts(reference),
      countInto(reference, week.slice(0, 100)),
    );
    expect(parts).toEqual(countInto(reference, week));
  });

  it('stays near its noise for the same distribution and grows with the shift', () => {
    const reference = numericReference(normals(5000, 0, 6));
    const at = (shift: number): number => populationStability(reference, countInto(reference, normals(2000, shift, 7)));
    const noise = stabilityNoise(reference, countInto(reference, normals(2000, 0, 7)));
    expect(at(0)).toBeLessThan(3 * noise);
    expect([at(0.25) > at(0), at(0.5) > at(0.25), at(1) > 0.25]).toEqual([true, true, true]);
  });

  it('sees values that go missing', () => {
    const reference = numericReference(normals(1000, 0, 8));
    const holes = normals(1000, 0, 9).map((v, i) => (i % 3 === 0 ? null : v));
    expect(populationStability(reference, countInto(reference, holes))).toBeGreaterThan(0.25);
  });

  it('survives JSON and refuses counts of another layout', () => {
    const reference = numericReference([1, 2, 3, Number.NaN], { bins: 3 });
    const restored = JSON.parse(JSON.stringify(reference));
    expect(restored).toEqual(reference);
    expect(() => populationStability(reference, { counts: [1, 2] })).toThrow('count into the same reference');
    expect(() => mergeCounts({ counts: [1] }, { counts: [1, 2] })).toThrow(BadInput);
    expect(populationStability({ counts: [0, 0] }, { counts: [1, 2] })).toBe(0);
  });
});
