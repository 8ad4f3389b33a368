import fc from 'fast-check';
import { BadInput } from './bad-input.js';
import { lastDays, mergeDays, totals, windowOf } from './day-sums.js';

const day = fc.record({
  day: fc.integer({ min: 1, max: 28 }).map((d) => `2013-02-${String(d).padStart(2, '0')}`),
  rows: fc.integer({ min: 1, max: 500 }),
  sum: fc.integer({ min: -1e12, max: 1e12 }),
});

describe('day sums', () => {
  it('merge to the same days in whatever order and parts they arrive', () => {
    fc.assert(
      fc.property(fc.array(day, { maxLength: 40 }), fc.nat(40), (days, cut) => {
        const whole = mergeDays('test', days);
        expect(mergeDays('test', [...days].reverse())).toEqual(whole);
        expect(mergeDays('test', mergeDays('test', days.slice(cut)), mergeDays('test', days.slice(0, cut)))).toEqual(
          whole,
        );
      }),
      { seed: 3 },
    );
  });

  it('drop days without rows and refuse sums that order could change', () => {
    expect(mergeDays('test', [{ day: 'a', rows: 0, sum: 0 }])).toEqual([]);
    expect(() => mergeDays('test', [{ day: 'a', rows: 1, sum: 0.5 }])).toThrow(BadInput);
    expect(() => mergeDays('test', [{ day: 'a', rows: 1, sum: Number.NaN }])).toThrow('whole numbers');
  });

  it('name their window and keep the last days of it', () => {
    const days = ['b', 'a', 'c'].map((d, i) => ({ day: d, rows: 1, sum: i }));
    expect(windowOf(lastDays(days, 2))).toBe('b to c');
    expect([lastDays(days, 0), windowOf([])]).toEqual([[], '']);
    expect(totals(days)).toEqual({ rows: 3, sum: 3, days: 3 });
  });
});
