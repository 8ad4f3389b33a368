import { Random } from '@driftloop/algorithms';
import { day, start } from './testing/world.js';
import { changedAt } from './when-changed.js';

/** Days whose values rise by four of their standard deviations from day `from` on. */
const days = (count: number, from: number, seed: number) => {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => ({ day: start + i * day, x: random.normal(i < from ? 0 : 4) }));
};

describe('when the mean of days changed', () => {
  it('is found to the day or nearly so', () => {
    const errors = Array.from({ length: 20 }, (_, seed) => changedAt(days(40, 25, seed)) ?? 0).map((at) =>
      Math.abs(at - (start + 25 * day)),
    );
    expect(errors.filter((error) => error <= day).length).toBeGreaterThanOrEqual(19);
  });

  it('is nothing where it did not, in nearly every stretch of eight weeks', () => {
    const found = Array.from({ length: 100 }, (_, seed) => changedAt(days(56, 56, seed)));
    expect(found.filter((at) => at !== undefined).length).toBeLessThanOrEqual(2);
  });

  it('is nothing of few days, of days that are all the same, and does not depend on the unit', () => {
    expect(changedAt(days(4, 2, 1))).toBeUndefined();
    expect(changedAt(days(30, 30, 1).map((one) => ({ ...one, x: 7 })))).toBeUndefined();
    const some = days(40, 25, 3);
    expect(changedAt(some.map(({ day, x }) => ({ day, x: 1024 * x })))).toBe(changedAt(some));
  });
});
