import { BadInput } from '../bad-input.js';
import { Random } from '../random.js';
import { daySpread, sharesMoved } from './day-blocks.js';
import { ksBinned } from './kolmogorov-smirnov.js';
import { mergeCounts, type NumericReference, numericReference } from './psi.js';

const edges = [-1, -0.5, 0, 0.5, 1];
const layout: NumericReference = { kind: 'numeric', edges, counts: new Array(7).fill(0) };

interface Days {
  readonly count: number;
  /** Standard deviation of what the rows of a day share. */
  readonly shock?: number;
  /** Correlation of a day's shock with the day's before. */
  readonly lasting?: number;
  readonly shift?: number;
  readonly rows?: number;
}

/** Counts of days of normal values whose rows share a shock. */
function someDays(random: Random, { count, shock = 0.4, lasting = 0, shift = 0, rows = 60 }: Days): number[][] {
  let common = random.normal(0, shock);
  return Array.from({ length: count }, () => {
    common = lasting * common + random.normal(0, shock * Math.sqrt(1 - lasting ** 2));
    const counts = new Array(7).fill(0);
    for (let i = 0; i < rows; i++) {
      const x = shift + common + random.normal();
      counts[edges.filter((edge) => edge < x).length]++;
    }
    return counts;
  });
}

function once(seed: number, shape: Omit<Days, 'count' | 'shift'>, shift = 0) {
  const random = new Random(seed);
  const before = someDays(random, { count: 33, ...shape });
  const now = someDays(random, { count: 14, ...shape, shift });
  const all = (days: number[][]) => mergeCounts(...days.map((counts) => ({ counts })));
  const reference = { ...layout, counts: all(before).counts };
  return { reference, now, spread: daySpread('numeric', before), rowP: ksBinned(reference, all(now)).p };
}

const share = (runs: number, holds: (seed: number) => boolean): number =>
  Array.from({ length: runs }, (_, seed) => holds(seed)).filter(Boolean).length / runs;

describe('a histogram with days as the unit', () => {
  it('moves by chance in at most 5% where rows alone say so in every third window', () => {
    const runs = 150;
    const byDays = share(runs, (seed) => {
      const { reference, now, spread } = once(seed, {});
      return sharesMoved(reference, now, spread).p <= 0.05;
    });
    expect(byDays).toBeLessThanOrEqual(0.05);
    expect(byDays).toBeGreaterThan(0);
    expect(share(runs, (seed) => once(seed, {}).rowP <= 0.05)).toBeGreaterThan(0.3);
  });

  it('stays below 10% where days are alike: half of a day is the day before', () => {
    const size = share(150, (seed) => {
      const { reference, now, spread } = once(seed, { lasting: 0.5 });
      return sharesMoved(reference, now, spread).p <= 0.05;
    });
    expect(size).toBeLessThanOrEqual(0.1);
  });

  it('is found where it moved by less than two days differ', () => {
    const power = share(40, (seed) => {
      const { reference, now, spread } = once(seed, {}, 0.5);
      return sharesMoved(reference, now, spread).p <= 0.05;
    });
    expect(power).toBeGreaterThan(0.8);
  });

  it('is found in the midst of its move: the move does not hide behind the variance that it makes (I2)', () => {
    const random = new Random(5);
    const two: NumericReference = { kind: 'numeric', edges: [0], counts: [990, 990, 0] };
    const at = (count: number, share: number): number[][] =>
      Array.from({ length: count }, () => {
        const below = Math.round(60 * (share + random.uniform(-0.06, 0.06)));
        return [below, 60 - below, 0];
      });
    const spread = daySpread('numeric', at(33, 0.5));
    expect(sharesMoved(two, [...at(7, 0.5), ...at(7, 0.75)], spread).p).toBeLessThan(1e-6);
  });

  it('is sure of nothing about what looks back as far as the window (I1)', () => {
    const { reference, now, spread } = once(1, {}, 1.5);
    expect(sharesMoved(reference, now, spread).p).toBeLessThan(1e-6);
    expect(sharesMoved(reference, now, spread, { memory: 28 }).p).toBeGreaterThan(0.05);
    expect(() => sharesMoved(reference, now, spread, { memory: 0 })).toThrow('a number of days');
  });

  it('does not move by itself, and is nothing without two days', () => {
    const { reference, now, spread } = once(1, {});
    const same = sharesMoved(
      { ...layout, counts: mergeCounts(...now.map((counts) => ({ counts }))).counts },
      now,
      spread,
    );
    expect(same).toMatchObject({ distance: 0, p: 1, days: 14, rows: 840 });
    expect(sharesMoved(reference, now.slice(0, 1), spread).p).toBe(1);
    expect(sharesMoved(reference, [], spread)).toMatchObject({ p: 1, rows: 0 });
    expect(sharesMoved(layout, now, spread).p).toBe(1);
  });

  it('takes days that agree for no more than independent rows (I3)', () => {
    const reference = { ...layout, counts: [0, 500, 500, 0, 0, 0, 0] };
    const agreeing = Array.from({ length: 14 }, () => [0, 11, 9, 0, 0, 0, 0]);
    expect(sharesMoved(reference, agreeing).p).toBeGreaterThan(0.05);
  });

  it('takes its own days for the reference’s where those are not known', () => {
    const { reference, now, spread } = once(3, {}, 0.8);
    const [known, unknown] = [sharesMoved(reference, now, spread), sharesMoved(reference, now)];
    expect(unknown.distance).toBe(known.distance);
    expect(unknown.p).toBeGreaterThan(known.p);
    expect(unknown.p).toBeLessThan(0.05);
  });

  it('compares categories one by one, and sees what goes missing', () => {
    const categorical = { kind: 'categorical' as const, categories: ['a', 'b'], counts: [500, 500, 0, 0] };
    const days = Array.from({ length: 14 }, (_, d) => [30 + (d % 3), 10 - (d % 3), 0, 0]);
    const found = sharesMoved(categorical, days);
    expect(found.distance).toBeGreaterThan(0.25);
    expect(found.p).toBeLessThan(1e-6);
    const reference = numericReference(Array.from({ length: 1000 }, (_, i) => i));
    const holes = Array.from({ length: 14 }, () => [...new Array(10).fill(4), 10]);
    expect(sharesMoved(reference, holes)).toMatchObject({ at: 9 });
    expect(sharesMoved(reference, holes).p).toBeLessThan(1e-6);
  });

  it('survives JSON, changes nothing that it is given, and refuses another layout', () => {
    const { reference, now, spread } = once(2, {}, 0.3);
    const frozen = now.map((counts) => Object.freeze([...counts]));
    expect(sharesMoved(reference, frozen, JSON.parse(JSON.stringify(spread)))).toEqual(
      sharesMoved(reference, now, spread),
    );
    expect(() => sharesMoved(reference, [[1, 2]])).toThrow(BadInput);
    expect(() =>
      daySpread('numeric', [
        [1, 2],
        [1, 2, 3],
      ]),
    ).toThrow('count into one reference');
  });
});
