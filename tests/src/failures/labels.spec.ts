/**
 * The labels stop coming for good: that is told, growth stands still, no cycle opens, what is in shadow is not judged on what
 * little there is, and everybody goes on being answered.
 */

import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { type Failing, lenient, openFailing } from './failing.js';

let house: Failing;
afterEach(() => house?.close());

const end = START + 13 * DAY;

it('stops what rests on labels, and says so', async () => {
  const whole = parcelsWorld({ days: 26, spec: lenient });
  const happenings = whole.happenings.filter((one) => one.at < end || one.kind !== 'outcome');
  house = await openFailing({ ...whole, happenings }, START + 9 * DAY);
  await house.to(START + 24 * DAY);
  const { model } = whole;
  const [status, cycles, ledger] = await Promise.all([
    house.control.status(model),
    house.control.cycles(model),
    house.control.ledger(model),
  ]);
  expect(status.attention).toContainEqual(expect.stringMatching(/^labels: silent since 2024-01-1[56]T/));
  const told = ledger.entries.filter(({ decision }) => decision!.kind === 'silence');
  expect(told.map(({ decision }) => decision!.outcome)).toEqual(['silent']);
  expect(told[0].decision!.reasons[0]).toMatch(/^100\.0% of the 120 predictions of 2024-01-1\dT.* had no label/);
  // One cycle was in shadow: its days without labels earned it nothing. None has opened since.
  expect(cycles).toMatchObject([
    { signal: 'bootstrap', outcome: 'promoted' },
    { outcome: 'rolled_back', reasons: ['undecided by the test in 6 days, and not good enough'] },
  ]);
  for (const { day, labelled, versions } of status.days.filter((one) => one.day!.getTime() >= end))
    expect([day, labelled, versions]).toEqual([day, 0, []]);
  expect(status.freshLabels).toBeLessThan(1.5 * 120 * 5);
  const answers = house.diary().answers();
  const asked = happenings.filter((one) => one.kind === 'question' && one.at <= house.now()).length;
  expect(answers.size).toBe(asked);
}, 180_000);
