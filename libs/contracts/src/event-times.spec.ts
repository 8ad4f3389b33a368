import { isEventMs, isEventTime } from './event-times.js';

it('takes times from 1900 until 2200, and neither nothing nor nonsense', () => {
  expect([Date.UTC(1900, 0), 0, Date.UTC(2199, 11, 31)].map(isEventMs)).toEqual([true, true, true]);
  const wrong = [Date.UTC(1899, 11, 31), Date.UTC(2200, 0), Number.NaN, Number.POSITIVE_INFINITY];
  expect(wrong.map(isEventMs)).toEqual([false, false, false, false]);
  expect([undefined, new Date(Number.NaN), new Date(0)].map(isEventTime)).toEqual([false, false, true]);
});
