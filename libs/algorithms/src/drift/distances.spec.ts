/** Laws of the distances between samples and between histograms. */
import fc from 'fast-check';
import { BadInput } from '../bad-input.js';
import { Random } from '../random.js';
import { jensenShannon } from './jensen-shannon.js';
import { kolmogorovTail, ksBinned, ksTwoSample } from './kolmogorov-smirnov.js';
import { lossShare } from './loss-share.js';
import { countInto, numericReference } from './psi.js';
import { binnedMoments, binPoints, wasserstein, wassersteinBinned } from './wasserstein.js';

const normals = (n: number, mean: number, seed: number): number[] => {
  const random = new Random(seed);
  return Array.from({ length: n }, () => random.normal(mean));
};
const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const samples = fc.array(number, { minLength: 1, maxLength: 25 });
const counts = fc.array(fc.nat(500), { minLength: 5, maxLength: 5 }).map((c) => ({ counts: c }));

describe('the distance of Kolmogorov and Smirnov', () => {
  it('is symmetric, within bounds, and nought of a sample from itself', () => {
    fc.assert(
      fc.property(samples, samples, (a, b) => {
        const { distance, p } = ksTwoSample(a, b);
        expect(ksTwoSample(b, a).distance).toBe(distance);
        expect(ksTwoSample(b, a).p).toBeCloseTo(p, 10);
        expect(distance >= 0 && distance <= 1 && p >= 0 && p <= 1).toBe(true);
        expect(ksTwoSample(a, a)).toMatchObject({ distance: 0, p: 1 });
      }),
      { seed: 1 },
    );
  });

  it('depends on ranks alone, and on nothing that is missing', () => {
    const [a, b] = [normals(30, 0, 1), normals(40, 0.5, 2)];
    const { distance, p } = ksTwoSample(a, b);
    expect(ksTwoSample(a.map(Math.exp), b.map(Math.exp))).toMatchObject({ distance, p });
    expect(ksTwoSample([...a, Number.NaN, null], [undefined, ...b])).toMatchObject({ distance, p, n: 30, m: 40 });
    expect(ksTwoSample([], b)).toMatchObject({ distance: 0, p: 1 });
  });

  it('has a p-value that is uniform where nothing moved, and changes no input', () => {
    const ps = Array.from({ length: 400 }, (_, i) => ksTwoSample(normals(40, 0, 2 * i), normals(30, 0, 2 * i + 1)).p);
    for (const level of [0.05, 0.2, 0.5]) {
      const share = ps.filter((p) => p <= level).length / ps.length;
      // the exact law has steps: no p between two of them
      expect(share).toBeLessThan(level + 0.04);
      expect(share).toBeGreaterThan(0.7 * level - 0.02);
    }
    const a = Object.freeze([3, 1, 2]);
    ksTwoSample(a, a);
    expect(a).toEqual([3, 1, 2]);
  });

  it('is at most the true one over the edges of a histogram, and sees what goes missing', () => {
    const [a, b] = [normals(3000, 0, 3), normals(500, 0.4, 4)];
    const reference = numericReference(a);
    const binned = ksBinned(reference, countInto(reference, b));
    const { distance } = ksTwoSample(a, b);
    expect(binned.distance).toBeLessThanOrEqual(distance);
    expect(binned.distance).toBeGreaterThan(0.8 * distance);
    const holes = ksBinned(reference, countInto(reference, [...a.slice(0, 400), ...new Array(100).fill(null)]));
    expect(holes.distance).toBeCloseTo(0.2, 1);
    expect(() => ksBinned(reference, { counts: [1] })).toThrow('count into the same reference');
  });

  it('has a limit that falls from one to nought', () => {
    expect([kolmogorovTail(0), kolmogorovTail(-1), kolmogorovTail(20)]).toEqual([1, 1, 0]);
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 5, noNaN: true }), (x) => {
        expect(kolmogorovTail(x + 0.01)).toBeLessThanOrEqual(kolmogorovTail(x) + 1e-14);
      }),
      { seed: 2 },
    );
    expect(() => kolmogorovTail(Number.NaN)).toThrow(BadInput);
  });
});

describe('the divergence of Jensen and Shannon', () => {
  it('is symmetric, from 0 for equal shares to 1 bit for nothing in common', () => {
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        const bits = jensenShannon(a, b);
        expect(bits).toBeCloseTo(jensenShannon(b, a), 12);
        expect(bits >= 0 && bits <= 1).toBe(true);
        expect(jensenShannon(a, { counts: a.counts.map((c) => 3 * c) })).toBeCloseTo(0, 12);
      }),
      { seed: 3 },
    );
    expect(jensenShannon({ counts: [7, 0] }, { counts: [0, 2] })).toBe(1);
  });

  it('has a root that keeps the triangle inequality', () => {
    const some = counts.filter((c) => c.counts.some((n) => n > 0));
    const root = (a: { counts: number[] }, b: { counts: number[] }): number => Math.sqrt(jensenShannon(a, b));
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        expect(root(a, c)).toBeLessThanOrEqual(root(a, b) + root(b, c) + 1e-7);
      }),
      { seed: 4 },
    );
  });

  it('refuses other layouts and counts that are none', () => {
    expect(() => jensenShannon({ counts: [1] }, { counts: [1, 2] })).toThrow(BadInput);
    expect(() => jensenShannon({ counts: [1, -1] }, { counts: [1, 2] })).toThrow('at least 0');
    expect(jensenShannon({ counts: [0, 0] }, { counts: [1, 2] })).toBe(0);
  });
});

describe('the distance of Wasserstein', () => {
  it('is symmetric, nought of a sample from itself, and the size of a shift', () => {
    fc.assert(
      fc.property(samples, samples, fc.integer({ min: -50, max: 50 }), (a, b, shift) => {
        const tolerance = 1e-9 * (1 + Math.abs(wasserstein(a, b)) + Math.abs(shift) + 1e6);
        expect(Math.abs(wasserstein(a, b) - wasserstein(b, a))).toBeLessThan(tolerance);
        expect(wasserstein(a, a)).toBe(0);
        const moved = a.map((x) => x + shift);
        expect(Math.abs(wasserstein(a, moved) - Math.abs(shift))).toBeLessThan(tolerance);
      }),
      { seed: 5 },
    );
  });

  it('grows with the scale, and misses what is missing', () => {
    const [a, b] = [normals(50, 0, 5), normals(70, 1, 6)];
    const scaled = wasserstein(
      a.map((x) => 7 * x),
      b.map((x) => 7 * x),
    );
    expect(scaled).toBeCloseTo(7 * wasserstein(a, b), 10);
    expect(wasserstein([...a, Number.NaN], b)).toBe(wasserstein(a, b));
    expect(wasserstein([], b)).toBe(0);
  });

  it('tells spreads of the reference on a histogram, whatever the unit', () => {
    const values = normals(5000, 0, 7);
    const at = (scale: number, shift: number): number => {
      const reference = numericReference(values.map((x) => scale * x));
      return wassersteinBinned(
        reference,
        countInto(
          reference,
          normals(3000, shift, 8).map((x) => scale * x),
        ),
      );
    };
    expect(at(1, 0)).toBeLessThan(0.08);
    expect(at(1, 0.5)).toBeGreaterThan(0.4);
    expect(at(1, 0.5)).toBeLessThan(0.6);
    expect(at(1000, 0.5)).toBeCloseTo(at(1, 0.5), 9);
    expect([at(1, 1) > at(1, 0.5), at(1, 2) > at(1, 1)]).toEqual([true, true]);
  });

  it('has a point for every value bin, and no spread where there is one', () => {
    const reference = numericReference([1, 2, 3, 4, 5, 6], { bins: 3 });
    expect(binPoints(reference)).toEqual([1.5, 3.5, 5.5]);
    expect(binnedMoments(reference, reference)).toMatchObject({ n: 6, mean: 3.5 });
    const empty = numericReference([null]);
    expect(binPoints(empty)).toEqual([0]);
    expect(wassersteinBinned(empty, countInto(empty, [4]))).toBe(0);
  });
});

describe('the share of a loss', () => {
  it('is all of it where the bins that grew are the ones that lose more', () => {
    const { change, share } = lossShare({ rows: [500, 500], loss: [200, 200] }, { rows: [300, 700], loss: [120, 420] });
    expect(change).toBeCloseTo(0.14, 12);
    expect(share).toBeCloseTo(1, 12);
  });

  it('is about the share of the rows where every bin loses alike', () => {
    const { share } = lossShare({ rows: [500, 500], loss: [200, 200] }, { rows: [400, 600], loss: [200, 300] });
    expect(share).toBeCloseTo(0.6, 12);
  });

  it('of bins that grew and of the others is one, and of no change nought', () => {
    const bins = fc.record({
      rows: fc.array(fc.integer({ min: 1, max: 99 }), { minLength: 4, maxLength: 4 }),
      loss: fc.array(fc.nat(99), { minLength: 4, maxLength: 4 }),
    });
    fc.assert(
      fc.property(bins, bins, (before, now) => {
        const { change, share } = lossShare(before, now);
        // the bins that shrank are those that grew on the way back
        const back = lossShare(now, before);
        const recentred = { rows: now.rows, loss: now.loss.map((l, b) => l - change * now.rows[b]) };
        expect(Number.isFinite(share)).toBe(true);
        expect(back.change).toBeCloseTo(-change, 10);
        expect(lossShare(before, recentred).change).toBeCloseTo(0, 10);
      }),
      { seed: 6 },
    );
    expect(lossShare({ rows: [1, 2], loss: [1, 2] }, { rows: [2, 4], loss: [2, 4] })).toEqual({ change: 0, share: 0 });
    expect(lossShare({ rows: [0], loss: [0] }, { rows: [2], loss: [2] })).toEqual({ change: 0, share: 0 });
    expect(() => lossShare({ rows: [1], loss: [1, 2] }, { rows: [1], loss: [1] })).toThrow(BadInput);
  });
});
