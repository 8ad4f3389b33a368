/** The feature store through its doors: durable, idempotent, and clear about what is wrong. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  events,
  FeatureStoreClient,
  FileDescription,
  type LabelsAdded,
  type SourceRow,
  type Value,
} from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { DuckDBInstance } from '@duckdb/node-api';
import { credentials } from '@grpc/grpc-js';
import { Models } from './models.js';
import {
  arrivedRows,
  askedAt,
  declared,
  departedRows,
  departures,
  labels,
  number,
  scheduleRows,
  specJson,
  text,
  weatherRows,
} from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

const [from, to] = ['2013-03-08', '2013-03-11'];
const flights = departures(from, to);
const day = 86_400_000;
const batches = [
  { source: 'schedule', rows: scheduleRows(flights) },
  { source: 'departed', rows: departedRows(flights) },
  { source: 'arrived', rows: arrivedRows(flights) },
  { source: 'weather', rows: weatherRows(from, to) },
];
const questions = flights.map((d) => ({ entityId: d.flight_id, time: askedAt(d) }));
const end = new Date(`${to}T09:00:00Z`);

let home: string;
let store: Running;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-features-spec-'));
  store = await runFeatureStore({ home });
  await store.declare(declared());
});

afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const fill = async () => {
  const replies = await store.ingest('flights', batches);
  await store.label('flights.late15', labels(flights), end);
  return replies;
};

/** A time so far away that no number of JavaScript holds its seconds. */
const beyondNumbers = Object.assign(new Date(0), { getTime: () => 2 ** 63 });

describe('a feature store', () => {
  it('counts rows that are sent again as duplicates, also after a restart', async () => {
    const first = await fill();
    expect(first.map(({ accepted }) => accepted)).toEqual(batches.map(({ rows }) => rows.length));
    const { rows } = await store.read('flights', questions);
    const set = await store.build('flights', '2013-03-20');
    await fill();
    await store.close();
    store = await runFeatureStore({ home });
    const again = await fill();
    expect(again.map(({ accepted, duplicates }) => [accepted, duplicates])).toEqual(
      batches.map((batch) => [0, batch.rows.length]),
    );
    expect((await store.read('flights', questions)).rows).toEqual(rows);
    expect((await store.build('flights', '2013-03-20')).sha256).toBe(set.sha256);
  });

  it('waits for the watermark, and says when it has not come in time', async () => {
    const promise = (watermark: Date) =>
      store.ingest(
        'flights',
        batches.map(({ source }) => ({ source, rows: [], watermark })),
      );
    await promise(new Date(`${from}T00:00:00Z`));
    const asked = [{ entityId: 'F1', time: Date.parse(`${from}T05:00:00Z`) }];
    expect((await store.read('flights', asked, 20)).rows[0].complete).toBe(false);
    const waiting = store.read('flights', asked, 5000);
    await promise(new Date(`${from}T05:00:00Z`));
    expect((await waiting).rows[0].complete).toBe(true);
  });

  it('refuses a question that cannot be answered in its own row, and answers the others as it would alone', async () => {
    await fill();
    const asked = questions
      .slice(0, 20)
      .map(({ entityId, time }) => ({ entityId, eventTime: new Date(time), inputs: {} }));
    const ask = (some: typeof asked) =>
      call(store.client, 'readOnline', { model: 'flights', questions: some, deadlineMs: 0 });
    const quiet = (await ask(asked)).rows;
    const year9999 = { ...asked[0], eventTime: new Date('9999-01-01T00:00:00Z') };
    const badInput = { ...asked[0], inputs: { sched_dep_utc: text('noon') } };
    const cut = { ...asked[0], entityId: 'F1\0x' };
    const cutInput = { ...asked[0], inputs: { carrier: text('AA\0x') } };
    const value = beyondNumbers;
    const beyond = { ...asked[0], inputs: { sched_dep_utc: { kind: { $case: 'time' as const, value } } } };
    const bad = [badInput, cut, cutInput, beyond];
    const { rows } = await ask([year9999, ...asked, ...bad]);
    expect(rows.slice(1, -bad.length)).toEqual(quiet);
    const refusals = [rows[0], ...rows.slice(-bad.length)].map(({ refusal }) => refusal);
    expect(refusals.map((refusal) => refusal?.code)).toEqual(['TIME_INVALID', ...bad.map(() => 'INPUT_INVALID')]);
    expect(refusals.slice(2, 4).map((refusal) => refusal?.reason)).toEqual([
      expect.stringMatching(/"entity_id" cannot be kept as it is; send text in UTF-8 without NUL/),
      expect.stringMatching(/"carrier" cannot be kept as it is/),
    ]);
    await expect(ask([year9999])).rejects.toMatchObject({ code: 'TIME_INVALID' });
  });

  it('lets go of those who have stopped waiting, and answers everybody else meanwhile', async () => {
    const promise = (watermark: Date) =>
      store.ingest(
        'flights',
        batches.map(({ source }) => ({ source, rows: [], watermark })),
      );
    await promise(new Date(`${from}T00:00:00Z`));
    const { watermarks } = store.service.app.get(Models).of('main', 'flights');
    const request = {
      ...{ model: 'flights', deadlineMs: 60_000 },
      questions: [{ entityId: 'F1', eventTime: new Date('2150-01-01'), inputs: {} }],
    };
    const gone = new AbortController();
    const options = { deadlineMs: 60_000, signal: gone.signal };
    const waits = Array.from({ length: 300 }, () => call(store.client, 'readOnline', request, options).catch((e) => e));
    while (watermarks.waiting < 250) await new Promise((resolve) => setImmediate(resolve));
    const ownConnection = { 'grpc.use_local_subchannel_pool': 1 };
    const address = `127.0.0.1:${store.service.port}`;
    const other = new FeatureStoreClient(address, credentials.createInsecure(), ownConnection);
    const patient = call(other, 'readOnline', { ...request, deadlineMs: 50 });
    expect((await patient).rows[0].complete).toBe(false);
    gone.abort();
    await Promise.all(waits);
    while (watermarks.waiting) await new Promise((resolve) => setTimeout(resolve, 5));
    other.close();
  });

  it('forgets in memory what no question can ask for any more, and says so of older questions', async () => {
    await fill();
    const late = new Date(end.getTime() + 60 * day);
    for (let days = 6; days <= 60; days += 6) {
      const watermark = new Date(end.getTime() + days * day);
      const promises = batches.map(({ source }) => ({ source, rows: [], watermark }));
      await store.ingest('flights', promises);
      await store.label('flights.late15', [], watermark);
    }
    const { rows } = await store.read('flights', [questions[0], { entityId: 'F1', time: late.getTime() }]);
    expect(rows.map(({ complete }) => complete)).toEqual([false, true]);
    expect((await store.build('flights', '2013-03-20')).rows).toBe(labels(flights).length);
  });

  it('takes inputs from the request before those of its own rows, and names what is missing', async () => {
    await fill();
    const ask = async (entityId: string, inputs: Record<string, Value>) => {
      const question = { entityId, eventTime: new Date(askedAt(flights[200])), inputs };
      const reply = await call(store.client, 'readOnline', { model: 'flights', questions: [question], deadlineMs: 0 });
      const [row] = reply.rows;
      return { ...row, carrier: row.texts[0], distance: row.numbers[reply.numberFeatures.indexOf('distance')] };
    };
    const known = await ask(flights[200].flight_id, { distance: number(1) });
    expect(known).toMatchObject({ carrier: flights[200].carrier, distance: 1, unknownEntity: false });
    expect(known.entityTime).toEqual(new Date(flights[200].sched_dep_utc));
    const unknown = await ask('nobody', {});
    expect(unknown.unknownEntity).toBe(true);
    expect(unknown.missing).toEqual(
      expect.arrayContaining(['carrier', 'distance', 'minute_of_day', 'late_by_carrier_24h']),
    );
    const fresh = await ask('nobody', { carrier: text('AA'), sched_dep_utc: text('2013-03-10T12:00:00Z') });
    expect(fresh).toMatchObject({ carrier: 'AA', unknownEntity: false, entityTime: new Date('2013-03-10T12:00:00Z') });
    expect(fresh.missing).not.toContain('overdue_by_carrier_2h');
  });

  it('follows a new revision of the spec, and still builds sets of the old one', async () => {
    await fill();
    const old = await store.build('flights', '2013-03-20');
    const changed = specJson
      .replace('over: [1h, 2h, 4h, 24h]', 'over: [1h, 2h, 4h, 36h]')
      .replace('maxAge: 3h', 'maxAge: 9h');
    await store.declare(declared(changed, 2));
    await store.declare(declared(specJson, 1));
    const reply = await store.read('flights', questions.slice(0, 1));
    expect(reply.specRevision).toBe(2);
    expect(reply.numberFeatures).toContain('delay_36h');
    expect((await store.build('flights', '2013-03-20', 1)).sha256).toBe(old.sha256);
    expect((await store.build('flights', '2013-03-20')).numberFeatures).toContain('delay_36h');
    await expect(store.build('flights', '2013-03-20', 9)).rejects.toMatchObject({ code: 'UNKNOWN_REVISION' });
  });

  it('tells how far a source has come at the same borders, whatever starts lie in between', async () => {
    const hours = Array.from({ length: 13 }, (_, i) => new Date(end.getTime() + (i - 12.5) * 3_600_000));
    for (const watermark of hours) {
      await store.ingest('flights', [{ source: 'weather', rows: [], watermark }]);
      await store.ingest('flights', [{ source: 'departed', rows: [], watermark }]);
      await store.close();
      store = await runFeatureStore({ home });
      await store.ingest('flights', [{ source: 'weather', rows: [], watermark }]);
    }
    await store.bus.settled();
    const told = await store.bus.read(events.featuresIngested.topic, 0, 0, 100);
    const borders = ['20:30', '21:30', '00:30', '03:30', '06:30'];
    for (const source of ['weather', 'departed']) {
      const payloads = told.map(({ data }) => events.featuresIngested.payload.fromJSON(data));
      const from = payloads.filter((one) => one.source === source).map(({ watermark }) => watermark!.toISOString());
      expect(from.map((time) => time.slice(11, 16))).toEqual(borders);
    }
  });

  it('tells of what it took in, once a batch at most', async () => {
    await store.ingest(
      'flights',
      batches.map((batch) => ({ ...batch, watermark: end })),
    );
    await store.bus.settled();
    const told = await store.bus.read(events.featuresIngested.topic, 0, 0, 100);
    const sums = Map.groupBy(
      told.map(({ data }) => events.featuresIngested.payload.fromJSON(data)),
      (e) => e.source,
    );
    const rows = (source: string) => sums.get(source)!.reduce((sum, e) => sum + e.rows, 0);
    expect(told.length).toBe(batches.length);
    for (const batch of batches) expect(rows(batch.source)).toBe(batch.rows.length);
  });
});

describe('a file of rows', () => {
  const header = 'entity_id,event_time,known_at,delay';
  const csv = (...lines: string[]) => Buffer.from(`${[header, ...lines].join('\n')}\n`);
  const good = 'F1,2013-03-08T10:00:00Z,2013-03-08T10:05:00Z,5';
  const take = (bytes: Buffer, format = 'csv') =>
    store.ingestFile({ model: 'flights', source: 'departed', format }, bytes);

  it('is taken in as CSV, gzipped CSV and Parquet alike', async () => {
    const lines = [
      good,
      'F2,2013-03-08 11:00:00,1362740700000,',
      'F3,2013-03-08T12:00:00+01:00,2013-03-08T12:30:00Z,-1.5',
    ];
    expect(await take(csv(...lines))).toMatchObject({ accepted: 3, duplicates: 0, rejected: [] });
    expect(await take(gzipSync(csv(...lines)), 'csv.gz')).toMatchObject({ accepted: 0, duplicates: 3 });
    expect(await take(await parquet(lines), 'parquet')).toMatchObject({ accepted: 0, duplicates: 3 });
  });

  it('is taken in while seven others stand still, and the places of those that have gone are free', async () => {
    const idle = Array.from({ length: 7 }, () => {
      const stream = store.client.ingestFile(() => {});
      const value = FileDescription.fromPartial({ model: 'flights', source: 'departed', format: 'csv' });
      stream.write({ part: { $case: 'description', value } });
      return stream;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await take(csv(good))).toMatchObject({ accepted: 1 });
    for (const stream of idle) stream.cancel();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => take(csv(good))));
    expect(all.map(({ status }) => status)).toEqual(Array(8).fill('fulfilled'));
  });

  it('lists bad rows by their index with the reason, and takes the good ones', async () => {
    const reply = await take(
      csv(
        good,
        ',2013-03-08,2013-03-08,1',
        'F2,yesterday,2013-03-08,1',
        'F3,2013-03-08,,1',
        'F4,2013-03-08,2013-03-08,x',
        'F5,a,b',
        good.replace('F1', 'F6'),
      ),
    );
    expect(reply.accepted).toBe(2);
    expect(reply.rejectedCount).toBe(5);
    const found = reply.rejected.map(({ index, code }) => `${index} ${code}`).sort();
    expect(found).toEqual(['1 ENTITY_MISSING', '2 TIME_INVALID', '3 TIME_MISSING', '4 TYPE_WRONG', '5 LINE_BROKEN']);
  });

  it('lists the first hundred bad rows and counts them all', async () => {
    const reply = await take(csv(...Array.from({ length: 2500 }, (_, i) => `F${i},2013-03-08,never,1`)));
    expect([reply.accepted, reply.rejected.length, reply.rejectedCount]).toEqual([0, 100, 2500]);
    expect(reply.rejected[99].index).toBe(99);
  });

  it.each([
    ['FILE_FORMAT_UNKNOWN', 'xlsx', csv(good)],
    ['FILE_UNREADABLE', 'parquet', csv(good)],
    ['FILE_UNREADABLE', 'csv.gz', csv(good)],
    ['FILE_COLUMN_MISSING', 'csv', Buffer.from('flight,time\nF1,2013-03-08\n')],
  ])('is refused as %s when sent as %s', async (code, format, bytes) => {
    await expect(take(bytes, format)).rejects.toMatchObject({ code });
  });
});

/** The lines of a CSV as a Parquet file with real times. */
async function parquet(lines: string[]): Promise<Buffer> {
  const { readFileSync } = await import('node:fs');
  const path = join(home, 'rows.parquet');
  const values = lines
    .map((line) => line.split(','))
    .map(([e, t, k, d]) => {
      const known = /^\d+$/.test(k) ? `epoch_ms(${k})` : `TIMESTAMP '${k.replace('Z', '')}'`;
      const event = t.endsWith('+01:00')
        ? `TIMESTAMP '${t.slice(0, 19)}' - INTERVAL 1 HOUR`
        : `TIMESTAMP '${t.replace('Z', '')}'`;
      return `('${e}', ${event}, ${known}, ${d || 'NULL'}::DOUBLE)`;
    });
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(
    `COPY (SELECT * FROM (VALUES ${values.join(', ')}) AS v(entity_id, event_time, known_at, delay)) TO '${path}' (FORMAT PARQUET)`,
  );
  connection.closeSync();
  return readFileSync(path);
}

describe('bad input', () => {
  const row = (fields: Partial<SourceRow>): SourceRow => ({
    ...{ entityId: 'F1', eventTime: new Date(from), knownAt: new Date(from), values: {} },
    ...fields,
  });

  it.each<[string, Partial<SourceRow>]>([
    ['ENTITY_MISSING', { entityId: '' }],
    ['TEXT_TOO_LONG', { entityId: 'x'.repeat(1001) }],
    ['TEXT_INVALID', { entityId: 'a\0b' }],
    ['TIME_MISSING', { eventTime: undefined }],
    ['TIME_MISSING', { knownAt: undefined }],
    ['TIME_INVALID', { knownAt: new Date('2500-01-01') }],
    ['TIME_INVALID', { eventTime: beyondNumbers }],
    ['COLUMN_UNKNOWN', { values: { dealy: number(1) } }],
    ['TYPE_WRONG', { values: { delay: text('late') } }],
    ['TYPE_WRONG', { values: { delay: { kind: { $case: 'time', value: new Date(from) } } } }],
    ['NUMBER_INFINITE', { values: { delay: number(Number.POSITIVE_INFINITY) } }],
  ])('refuses a row as %s and takes the next', async (code, fields) => {
    const rows = [row(fields), row({ entityId: 'F2' })];
    const [reply] = await store.ingest('flights', [{ source: 'departed', rows }]);
    expect(reply).toMatchObject({ accepted: 1, rejected: [{ index: 0, code }], rejectedCount: 1 });
  });

  it.each([
    ['UNKNOWN_MODEL', 'trains', 'departed', []],
    ['UNKNOWN_SOURCE', 'flights', 'tides', []],
    ['OUTCOMES_NOT_INGESTED', 'flights', 'outcomes', []],
    ['BATCH_TOO_LARGE', 'flights', 'departed', Array.from({ length: 10_001 }, () => row({}))],
  ])('ends a stream with %s', async (code, model, source, rows) => {
    await expect(store.ingest(model, [{ source, rows }])).rejects.toMatchObject({ code });
  });

  it.each([
    ['INPUT_INVALID', { carrier: number(1) }],
    ['INPUT_INVALID', { distance: text('far') }],
    ['INPUT_INVALID', { sched_dep_utc: text('noon') }],
    ['INPUT_INVALID', { plane: text('N1') }],
  ])('answers %s to a question with %j', async (code, inputs) => {
    const question = { entityId: 'F1', eventTime: new Date(from), inputs: inputs as Record<string, Value> };
    const asked = call(store.client, 'readOnline', { model: 'flights', questions: [question], deadlineMs: 0 });
    await expect(asked).rejects.toMatchObject({ code });
  });

  it('says what a training set needs', async () => {
    await expect(store.build('flights', '2013-03-20')).rejects.toMatchObject({ code: 'TRAINING_SET_EMPTY' });
    const none = { model: 'flights', specRevision: 0, knowledgeCutoff: undefined, excluded: [], specJson: '' };
    await expect(call(store.client, 'buildTrainingSet', none)).rejects.toMatchObject({ code: 'TIME_INVALID' });
  });

  it('dead-letters labels without a time, and goes on with the next', async () => {
    const bad = { ...labels(flights)[0], entityTime: undefined };
    await store.label('flights.late15', [bad as unknown as LabelsAdded['labels'][number]]);
    await store.ingest('flights', batches);
    await store.label('flights.late15', labels(flights));
    expect(await store.bus.dead('feature-store.when-labels-added')).toHaveLength(1);
    expect((await store.build('flights', '2013-03-20')).rows).toBe(labels(flights).length);
  });
});
