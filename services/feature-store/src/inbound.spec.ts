/** Rows that come over the bus: the same as through the door; what is at fault is a dead letter that says why. */
import { EntitiesObserved, events, FeaturesIngested, type SourceRow } from '@driftloop/contracts';
import { declared, departures, scheduleRows, weatherRows } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

const group = 'feature-store.when-entities-observed';
const [model, source] = ['flights', 'weather'];
const rows = weatherRows('2013-03-08', '2013-03-09').slice(0, 4);
const end = new Date('2013-03-10T12:00:00Z');
const report = (some: SourceRow[], fields: Partial<EntitiesObserved> = {}) =>
  EntitiesObserved.toJSON(
    EntitiesObserved.fromPartial({ model, source, rows: some, watermark: end, ...fields }),
  ) as object;

let store: Running;
let reports: number;
beforeEach(async () => {
  reports = 0;
  store = await runFeatureStore();
  await store.declare(declared());
});
afterEach(() => store.close());

/** What an outsider writes, as it is read from Kafka. */
async function observed(data: unknown) {
  const event = {
    id: `theirs-${++reports}`,
    topic: 'entities.observed',
    key: '',
    time: end.getTime(),
    source: 'external',
    data,
  };
  await store.bus.publish([event]);
  await store.bus.settled();
}
const told = async () =>
  (await store.bus.read(events.featuresIngested.topic, 0, 0, 100)).map(({ data }) => FeaturesIngested.fromJSON(data));
const dead = async () => (await store.bus.dead(group)).map(({ id, error }) => [id, error.code, error.message]);
/** How many of the rows are there already: all that the door counts as duplicates. */
const known = async (some = rows) => (await store.ingest(model, [{ source, rows: some }]))[0].duplicates;

it('are taken in and announced, as through the door', async () => {
  await observed(report(rows));
  expect(await told()).toMatchObject([{ tenant: 'main', model, source, rows: rows.length, watermark: end }]);
  expect([await known(), await dead()]).toEqual([rows.length, []]);
});

it('answer questions: the inputs that the store has of an entity are theirs', async () => {
  const [flight] = departures('2013-03-08', '2013-03-09');
  const [row] = scheduleRows([flight]);
  await observed(report([row], { source: 'schedule' }));
  const reply = await store.read(model, [{ entityId: row.entityId, time: row.knownAt!.getTime() + 1 }]);
  expect(reply.rows[0].unknownEntity).toBe(false);
});

it('are taken in once, however often they come', async () => {
  await observed(report(rows));
  await observed(report(rows));
  expect((await told()).map((batch) => batch.rows)).toEqual([rows.length]);
});

it('belong to the main tenant, whatever they say', async () => {
  await observed({ ...report(rows), tenant: 'somebody-else' });
  expect((await told()).map(({ tenant }) => tenant)).toEqual(['main']);
});

it.each<[string, unknown, string, RegExp]>([
  ['rows that are no list', { model, source, rows: 7 }, 'PAYLOAD_INVALID', /rows.* expected Array/],
  [
    'a value of two kinds',
    { model, source, rows: [{ values: { temp: { number: 1, text: 'x' } } }] },
    'PAYLOAD_INVALID',
    /oneof/,
  ],
  ['a bare value', { model, source, rows: [{ values: { temp: 1.5 } }] }, 'PAYLOAD_INVALID', /Value from JSON: 1\.5/],
  ['neither rows nor a watermark', { model, source }, 'REPORT_EMPTY', /neither rows nor a watermark/],
  [
    'a model that nobody declares',
    { model: 'boats', source, rows: [{}] },
    'REPORT_OF_UNKNOWN_MODEL',
    /"boats".*driftloop replay/,
  ],
  [
    'a source that nobody declares',
    { model, source: 'rumours', rows: [{}] },
    'UNKNOWN_SOURCE',
    /"rumours"; declared: /,
  ],
  ['labels', { model, source: 'outcomes', rows: [{}] }, 'OUTCOMES_NOT_INGESTED', /RecordOutcomes/],
])('with %s are a dead letter with the reason, and hold up nobody', async (_what, data, code, reason) => {
  await observed(data);
  await observed(report(rows));
  expect(await dead()).toEqual([['theirs-1', code, expect.stringMatching(reason)]]);
  expect(await known()).toBe(rows.length);
});

it('of which some are malformed are taken in without those, which the dead letter lists', async () => {
  await observed(report([rows[0], { ...rows[1], entityId: '' }, { ...rows[2], knownAt: undefined }]));
  const reason = /^2 of 3 rows of "weather" of "flights" are malformed, the rest is taken in: \[1\] .*; \[2\] /;
  expect(await dead()).toEqual([['theirs-1', 'ROWS_REFUSED', expect.stringMatching(reason)]]);
  expect(await known([rows[0]])).toBe(1);
});

it('of which some cannot even be read are taken in without those, each with its reason', async () => {
  const [first, second] = (report(rows) as { rows: object[] }).rows;
  await observed({
    ...report([]),
    rows: [{ ...second, eventTime: 'yesterday' }, first, { ...second, values: { temp: 1.5 } }],
  });
  const reason = /^2 of 3 rows .* the rest is taken in: \[0\] .*Timestamp.*; \[2\] .*Value from JSON: 1\.5/;
  expect(await dead()).toEqual([['theirs-1', 'ROWS_REFUSED', expect.stringMatching(reason)]]);
  expect(await known([rows[0]])).toBe(1);
});
