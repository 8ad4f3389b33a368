/**
 * The labels stop coming for good, and so does a source: both are told, growth stands still, no cycle opens, nothing is judged on
 * what little there is, and everybody goes on being answered.
 *
 * @jest-environment-options {"customExportConditions": ["driftloop:source", "node"]}
 */
import { type Failing, lenient, openFailing } from './failing.fixture.js';
import { DAY, parcelsWorld, START } from './parcels.fixture.js';

let house: Failing;
afterEach(() => house?.close());

const end = START + 13 * DAY;

it('stops what rests on labels, and says so', async () => {
  const whole = parcelsWorld({ days: 26, spec: lenient });
  const happenings = whole.happenings.filter(
    (one) => one.at < end || !(one.kind === 'outcome' || (one.kind === 'fact' && one.source === 'traffic')),
  );
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
  expect(told.map(({ decision }) => decision!.outcome)).toEqual(told.map(() => 'silent'));
  // whatever was open when they stopped has ended, and nothing has opened since the last of them had matured
  expect(cycles.every(({ outcome }) => outcome !== '')).toBe(true);
  expect(Math.max(...cycles.map(({ opened }) => opened!.getTime()))).toBeLessThan(end + 2 * DAY);
  for (const { day, labelled, versions } of status.days.filter((one) => one.day!.getTime() >= end)) {
    expect([day, labelled, versions]).toEqual([day, 0, []]);
  }
  const judged = ledger.entries.filter(({ decision }) => decision!.kind === 'judgement');
  for (const { decision } of judged)
    for (const { windowEnd, rows } of decision!.evidence)
      if (rows) expect(windowEnd!.getTime()).toBeLessThanOrEqual(START + 24 * DAY);
  const answers = house.diary().answers();
  const asked = happenings.filter((one) => one.kind === 'question' && one.at <= house.now()).length;
  expect(answers.size).toBe(asked);
}, 180_000);
