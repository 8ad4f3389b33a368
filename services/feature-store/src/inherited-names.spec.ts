/** Sources, columns and inputs called like what every object inherits: names like any other, from the row to the training set. */
import type { SourceRow, Value } from '@driftloop/contracts';
import { declared, number, text } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

const spec = JSON.stringify({
  apiVersion: 'driftloop/v1',
  kind: 'Model',
  metadata: { name: 'constructor' },
  spec: {
    task: 'binary',
    entity: { name: 'parcel', time: 'due' },
    question: { lead: '1h' },
    request: { inputs: { constructor: 'text', valueOf: 'number', due: 'time' }, source: 'constructor' },
    sources: {
      constructor: { columns: { constructor: 'text', valueOf: 'number' } },
      seen: { columns: { toString: 'number' }, ranges: { toString: [0, 100] } },
    },
    features: [
      { input: 'constructor' },
      { input: 'valueOf' },
      { window: 'seen', aggregate: 'mean', of: 'toString', as: 'seen', over: ['24h'], by: 'constructor' },
      { latest: 'seen', columns: ['toString'], maxAge: '24h' },
    ],
    label: {
      name: 'late',
      closeAfter: '12h',
      censorAfter: '48h',
      consistency: [{ attribute: 'hasOwnProperty', atLeast: 1 }],
    },
  },
});
const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));
const row = (hours: number, values: Record<string, Value>): SourceRow => ({
  ...{ entityId: 'toString', eventTime: at(12), knownAt: at(hours) },
  values,
});

let store: Running;
beforeAll(async () => {
  store = await runFeatureStore();
  await store.declare(declared(spec));
});
afterAll(() => store.close());

it('are taken in, answered with and trained on', async () => {
  const plan = row(1, { constructor: text('north'), valueOf: number(3) });
  const replies = await store.ingest('constructor', [
    { source: 'constructor', rows: [plan] },
    { source: 'seen', rows: [{ ...row(2, { toString: number(7) }), eventTime: at(2) }] },
  ]);
  expect(replies).toMatchObject([{ accepted: 1 }, { accepted: 1 }]);
  const { rows } = await store.read('constructor', [{ entityId: 'toString', time: at(11).getTime() }]);
  expect(rows).toMatchObject([{ numbers: [3, 7, 7], texts: ['north'], unknownEntity: false }]);
  const label = {
    entityId: 'toString',
    entityTime: at(12),
    knownAt: at(14),
    value: 1,
    source: '',
    confidence: 1,
    revision: 1,
  };
  await store.label('constructor.late', [label], at(20));
  expect(await store.build('constructor', at(20).toISOString())).toMatchObject({ rows: 1 });
});

it('are refused by name where no spec declares them', async () => {
  for (const source of ['toString', '__proto__', 'valueOf'])
    await expect(store.ingest('constructor', [{ source, rows: [] }])).rejects.toMatchObject({ code: 'UNKNOWN_SOURCE' });
  const values: Record<string, Value> = Object.fromEntries([['__proto__', number(1)]]);
  const [reply] = await store.ingest('constructor', [
    { source: 'seen', rows: [row(3, values), row(4, { valueOf: number(1) })] },
  ]);
  expect(reply.rejected).toMatchObject([{ code: 'COLUMN_UNKNOWN' }, { code: 'COLUMN_UNKNOWN' }]);
  await expect(store.read('__proto__', [])).rejects.toMatchObject({ code: 'UNKNOWN_MODEL' });
});
