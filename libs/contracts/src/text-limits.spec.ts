/** How long texts from outside may be. */
import { readCloudEvent } from './cloud-events.js';
import { longTextIn, mostTexts, shortened, textLimits } from './text-limits.js';

it.each([
  ['note', 2000],
  ['reason', 2000],
  ['model', 256],
  ['entityId', 256],
  ['spec', 262_144],
  ['whatNobodyHasNamedYet', 1000],
])('%s is at most %d characters, also in a list', (field, limit) => {
  expect(longTextIn({ [field]: 'x'.repeat(limit) })).toBeUndefined();
  expect(longTextIn({ [field]: 'x'.repeat(limit + 1) })).toEqual({ field, length: limit + 1, limit });
  expect(longTextIn({ [field]: ['x', 'x'.repeat(limit + 1)] })).toMatchObject({ field, limit });
});

it('a field has a bounded number of texts', () => {
  expect(longTextIn({ eventIds: Array(mostTexts + 1).fill('x') })).toMatchObject({ limit: mostTexts });
});

it('what other programs say is cut where it is long, and stays well-formed', () => {
  expect(shortened('short')).toBe('short');
  expect(shortened(`${'x'.repeat(1998)}😀 and more`)).toHaveLength(textLimits.note);
  expect(shortened(`${'x'.repeat(1998)}😀 and more`).isWellFormed()).toBe(true);
});

it.each(['ce_id', 'ce_subject'])('an outsider does not name an event with more than a text holds: %s', (header) => {
  const headers = { ce_id: 'e1', ce_subject: 'k', [header]: 'x'.repeat(textLimits.text + 1) };
  expect(() => readCloudEvent('outcomes.reported', { value: Buffer.from('{}'), headers })).toThrow(/at most 1000/);
});
