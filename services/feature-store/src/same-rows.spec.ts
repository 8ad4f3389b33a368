/** A row that comes again: the same is a duplicate and stored once, another one under its name is set aside as contradictory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceRow } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { FeatureStoreDocuments } from './feature-store.documents.js';
import { Models } from './models.js';
import { declared, number } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

let home: string;
let store: Running;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-same-rows-'));
  store = await runFeatureStore({ home });
  await store.declare(declared());
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const day = 86_400_000;
const start = Date.parse('2013-03-08T10:00:00Z');
const row = (entityId: string, delay: number, at = start): SourceRow => ({
  ...{ entityId, eventTime: new Date(at), knownAt: new Date(at) },
  values: { delay: number(delay) },
});
const send = async (rows: SourceRow[], watermark?: Date, source = 'departed') =>
  (await store.ingest('flights', [{ source, rows, watermark }]))[0];
const view = () => store.service.app.get(Models).of('main', 'flights');
const log = () => view().log('departed', { delay: 'number' });
/** Rows that are stored, wherever they are. */
const stored = async () => {
  const documents = store.service.app.get(FeatureStoreDocuments);
  const found = [...(await documents.segments.find().lean()), ...(await documents.batches.find().lean())];
  return found.reduce((sum, { rows }) => sum + rows, 0);
};

it('is contradictory with other cells, whichever came first and however they were cut into batches', async () => {
  const [one, other] = [row('F1', 5), row('F1', 50)];
  expect(await send([one, one, other])).toMatchObject({ accepted: 1, duplicates: 1, contradictory: 1, quarantined: 1 });
  expect(await send([other, other])).toMatchObject({ accepted: 0, duplicates: 2, contradictory: 0 });
  expect(await send([row('F2', 50)])).toMatchObject({ accepted: 1 });
  expect(await send([row('F2', 5)])).toMatchObject({ accepted: 0, duplicates: 0, contradictory: 1 });
  const { items } = await call(store.client, 'listQuarantine', { model: 'flights', state: 'held', limit: 0 });
  expect(items.map(({ kind, reasons }) => [kind, reasons[0]])).toEqual(
    Array(2).fill(['contradictory', expect.stringMatching(/same entity, event time and known-at.* other values/)]),
  );
});

it('that contradicts becomes a revision when a person lets it in', async () => {
  await send([row('F1', 5), row('F1', 50)]);
  const { items } = await call(store.client, 'listQuarantine', { model: 'flights', state: 'held', limit: 0 });
  await call(store.client, 'resolveQuarantine', { id: items[0].id, state: 'released', note: '' });
  const revision = { ...row('F1', 50), cells: [] };
  const held = view().view.held('departed', { ...revision, eventTime: start, knownAt: start + 1 });
  expect(held?.cells).toEqual([50]);
});

it('is a duplicate also where memory has let go of it, from batches, from segments and after a restart', async () => {
  const old = Array.from({ length: 300 }, (_, i) => row(`F${i}`, i, start + i * 1000));
  await send(old);
  // A replay promises in steps of at most a week.
  for (let days = 6; days <= 90; days += 6) {
    for (const source of ['schedule', 'departed', 'arrived', 'weather'])
      await send([], new Date(start + days * day), source);
    await store.label('flights.late15', [], new Date(start + days * day));
  }
  await send([row('late', 1, start + 90 * day)], new Date(start + 91 * day));
  expect(view().view.size).toBe(1);
  const again = () => send([...old, row('F1', 99, start + 1000)]);
  expect(await again()).toMatchObject({ accepted: 0, duplicates: 300, contradictory: 1 });
  await (await log()).compact();
  expect(await again()).toMatchObject({ accepted: 0, duplicates: 301, contradictory: 0 });
  await store.close();
  store = await runFeatureStore({ home });
  expect(await again()).toMatchObject({ accepted: 0, duplicates: 301, contradictory: 0 });
  expect(await stored()).toBe(301);
});

it('that was stored twice is stored once when it has been compacted', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({
    ...{ entityId: `F${i}`, eventTime: start, knownAt: start },
    cells: [i],
  }));
  const tell = { outbox: undefined as never, cause: undefined as never };
  for (let i = 0; i < 3; i++) await (await log()).append(rows, undefined, [], tell);
  expect(await stored()).toBe(90);
  await (await log()).compact();
  expect(await stored()).toBe(30);
});
