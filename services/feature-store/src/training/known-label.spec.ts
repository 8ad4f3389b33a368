/** A label that was known by its question is no answer to it: the training set leaves its row out, and counts it. */
import type { Label } from '@driftloop/contracts';
import { askedAt, declared, departures, labels, scheduleRows } from '../testing/flights.js';
import { type Running, runFeatureStore } from '../testing/running.js';

const flights = departures('2013-03-08', '2013-03-09');
const known = labels(flights);
let store: Running;
beforeEach(async () => {
  store = await runFeatureStore();
  await store.declare(declared());
  await store.ingest('flights', [{ source: 'schedule', rows: scheduleRows(flights) }]);
  await store.label('flights.late15', known.slice(1));
});
afterEach(() => store.close());

const own = flights.find(({ flight_id }) => flight_id === known[0].entityId)!;
const early = (knownAt: number): Label => ({ ...known[0], knownAt: new Date(knownAt) });

it.each([
  ['in 1970', early(0)],
  ['an hour before', early(askedAt(own) - 3_600_000)],
  ['at its very instant', early(askedAt(own))],
])('a label that was known %s is left out', async (_when, label) => {
  await store.label('flights.late15', [label]);
  const set = await store.build('flights', '2013-03-20');
  expect([set.rows, set.excludedRows]).toEqual([known.length - 1, 1]);
  expect((await store.rowsOf(set)).some(({ entity_id }) => entity_id === label.entityId)).toBe(false);
});

it('a label is left out for its first word, whatever revisions follow', async () => {
  await store.label('flights.late15', [early(askedAt(own) - 1), { ...known[0], revision: 2 }]);
  expect(await store.build('flights', '2013-03-20')).toMatchObject({ rows: known.length - 1, excludedRows: 1 });
});

it('a label that became known after its question is learned from', async () => {
  await store.label('flights.late15', [early(askedAt(own) + 1)]);
  expect(await store.build('flights', '2013-03-20')).toMatchObject({ rows: known.length, excludedRows: 0 });
});
