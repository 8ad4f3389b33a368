/** Numbers as texts and in JSON: decimals, and nothing else that a language happens to read as a number. */
import { decimalOf } from './decimals.js';
import { Outcome } from './gen/driftloop/v1/events.js';
import { Value } from './gen/driftloop/v1/values.js';

it.each([
  ['5', 5],
  [' -1.5 ', -1.5],
  ['+.5', 0.5],
  ['5.', 5],
  ['2e3', 2000],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['inf', Number.POSITIVE_INFINITY],
])('%j is a number', (text, number) => {
  expect(decimalOf(text)).toBe(number);
});

it.each(['', ' ', '\t', '\u00a0', '0x10', '0b11', '0o7', '1_000', '1,5', '1 000', 'e3', '.', '--1', '½', '٣'])(
  '%j is none',
  (text) => {
    expect(decimalOf(text)).toBeUndefined();
  },
);

it('is read from JSON by the same grammar, and what is none is refused with its field', () => {
  const read = (number: unknown) => Value.fromJSON({ number }).kind?.value;
  expect([1.5, '1.5', 'Infinity'].map(read)).toEqual([1.5, 1.5, Number.POSITIVE_INFINITY]);
  expect(read('NaN')).toBeNaN();
  for (const wrong of ['0x10', '', ' ', '1,5'])
    expect(() => read(wrong)).toThrow(/^number is ".*", which is no decimal/);
});

it('leaves a time of JSON invalid whose day no calendar has', () => {
  const read = (knownAt: string) => Outcome.fromJSON({ knownAt }).knownAt?.getTime();
  expect(read('2013-02-28T10:00:00Z')).toBe(Date.UTC(2013, 1, 28, 10));
  expect(read('2013-02-30T10:00:00Z')).toBeNaN();
});
