/** The feature store in two replicas: one leads, the other takes over from the durable rows, and no stale leader writes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedStore, Leadership, openEmbeddedStore, readSettings, Unled } from '@driftloop/service';
import { HandClock } from '@driftloop/testing/clock';
import { replicaEnvironment, testService } from '@driftloop/testing/service';
import { FeatureStoreDocuments } from './feature-store.documents.js';
import { featureStore } from './feature-store.module.js';
import { Models } from './models.js';
import { RowLog, type Tell } from './rows/row-log.js';
import { askedAt, declared, departedRows, departures, scheduleRows } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';
import type { Row } from './views/source-rows.js';

const leaseMs = 15_000;
let home: string;
let store: EmbeddedStore;
let clock: HandClock;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-store-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
  clock = new HandClock();
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const flights = departures('2013-03-08', '2013-03-09');
const end = new Date('2013-03-09T09:00:00Z');
const batches = [
  { source: 'schedule', rows: scheduleRows(flights), watermark: end },
  { source: 'departed', rows: departedRows(flights), watermark: end },
];
const questions = flights.map((d) => ({ entityId: d.flight_id, time: askedAt(d) }));

async function replica(name: string): Promise<Running> {
  const running = await runFeatureStore({ store, clock, environment: replicaEnvironment(name) });
  open.push(running);
  return running;
}

const pass = (ms: number, step?: number) => clock.live(ms, step);

it('goes on at the next leader with all that the one before it has acknowledged, and counts it once', async () => {
  const first = await replica('a');
  await first.declare(declared());
  await first.ingest('flights', batches);
  const before = await first.read('flights', questions);
  let second: Running | undefined;
  const waiting = replica('b').then((running) => {
    second = running;
  });
  await pass(2 * leaseMs);
  expect(second).toBeUndefined();
  await first.service.die();
  await pass(leaseMs + 3000);
  await waiting;
  const after = await second!.read('flights', questions);
  expect(after.rows).toEqual(before.rows);
  const again = await second!.ingest('flights', batches);
  expect(again.map(({ accepted }) => accepted)).toEqual([0, 0]);
  const more = departures('2013-03-09', '2013-03-10');
  const [next] = await second!.ingest('flights', [{ source: 'schedule', rows: scheduleRows(more) }]);
  expect(next.accepted).toBe(more.length);
});

describe('the rows of a stream', () => {
  const columns = { x: 'number' } as const;
  const row = (at: number): Row => ({ entityId: `e${at}`, eventTime: at, knownAt: at, cells: [at] });
  /** A leader that believes what it likes. */
  class Believing extends Leadership {
    constructor(override readonly fence: number) {
      super();
    }
    override check(): void {}
  }
  let service: Awaited<ReturnType<typeof testService>>;
  let documents: FeatureStoreDocuments;
  let tell: Tell;
  beforeEach(async () => {
    service = await testService(featureStore, { store });
    open.push(service);
    documents = service.app.get(FeatureStoreDocuments);
    await Promise.all([documents.batches.init(), documents.segments.init()]);
    tell = { outbox: service.ground.outbox, cause: { id: 'x', time: 0, tenant: 'main' } };
  });
  const logOf = (leadership: Leadership) =>
    RowLog.open('main/m/s', columns, documents, service.ground.objects, leadership);
  const read = async (log: RowLog) => {
    const found: number[] = [];
    await log.recent(Number.NEGATIVE_INFINITY, false, (rows) => found.push(...rows.map(({ eventTime }) => eventTime)));
    return found.sort((a, b) => a - b);
  };

  it('are closed to a leader of before from the moment on that the next has opened them', async () => {
    const stale = await logOf(new Believing(1));
    await stale.append([row(1)], undefined, [], tell);
    const next = await logOf(new Believing(2));
    await expect(stale.append([row(2)], undefined, [], tell)).rejects.toMatchObject({ code: 'ANOTHER_WRITER' });
    expect(stale.overtaken).toBe(true);
    await expect(logOf(new Believing(1))).rejects.toMatchObject({ code: 'ANOTHER_WRITER' });
    await next.append([row(3)], undefined, [], tell);
    await next.compact();
    await expect(logOf(new Believing(1))).rejects.toMatchObject({ code: 'ANOTHER_WRITER' });
    expect(await read(await logOf(new Believing(3)))).toEqual([1, 3]);
  });

  it('are each in one place, also where two leaders compact them at once', async () => {
    const stale = await logOf(new Believing(1));
    for (let i = 0; i < 5; i++) await stale.append([row(i)], { part: 0, watermark: i }, [], tell);
    const next = await logOf(new Believing(2));
    await next.append([row(5)], { part: 0, watermark: 5 }, [], tell);
    // The stale one has read its part; before it says so, the next has compacted more.
    const { create } = documents.segments;
    documents.segments.create = (async (...given: Parameters<typeof create>) => {
      documents.segments.create = create;
      await next.append([row(6)], undefined, [], tell);
      await next.compact();
      return create.apply(documents.segments, given);
    }) as typeof create;
    await expect(stale.compact()).rejects.toMatchObject({ code: 'ANOTHER_WRITER' });
    expect(await documents.segmentsOf('main/m/s')).toHaveLength(1);
    expect(await read(next)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const later = await logOf(new Believing(3));
    expect([await read(later), later.watermarks]).toEqual([[0, 1, 2, 3, 4, 5, 6], [5]]);
  });

  it('are read whole while another leader moves them into a segment', async () => {
    const stale = await logOf(new Unled());
    for (let i = 0; i < 3; i++) await stale.append([row(i)], undefined, [], tell);
    const next = await logOf(new Unled());
    const { batchesAfter } = documents;
    let moved = false;
    documents.batchesAfter = async (...asked) => {
      if (!moved) {
        moved = true;
        await stale.compact();
      }
      return batchesAfter.apply(documents, asked);
    };
    expect(new Set(await read(next))).toEqual(new Set([0, 1, 2]));
    documents.batchesAfter = batchesAfter;
  });
});

it('reads on where its own append went through and was taken for failed', async () => {
  const only = await replica('a');
  await only.declare(declared());
  await only.ingest('flights', [batches[0]]);
  const models = only.service.app.get(Models);
  const documents = only.service.app.get(FeatureStoreDocuments);
  const view = models.of('main', 'flights');
  const log = await view.log('departed', view.plan.sources.get('departed')!);
  const { insertOne } = documents.batches.collection;
  documents.batches.collection.insertOne = async (...given: Parameters<typeof insertOne>) => {
    await insertOne.apply(documents.batches.collection, given);
    throw new Error('the answer was lost');
  };
  await expect(only.ingest('flights', [{ ...batches[1], watermark: undefined as never }])).rejects.toBeDefined();
  documents.batches.collection.insertOne = insertOne;
  await expect(only.ingest('flights', [batches[1]])).rejects.toMatchObject({ code: 'ANOTHER_WRITER', retriable: true });
  expect(log.overtaken).toBe(true);
  const [reply] = await only.ingest('flights', [batches[1]]);
  expect([reply.accepted, reply.duplicates]).toEqual([0, batches[1].rows.length]);
});
