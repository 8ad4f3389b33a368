/** Rows set aside: kept with the reason, in no feature, let in by a person as known from then on; and labels left out of a set. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceRow } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import {
  askedAt,
  declared,
  departedRows,
  departures,
  labels,
  number,
  scheduleRows,
  specJson,
} from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

const ranged = specJson.replace(
  'departed: { columns: { delay: number } }',
  'departed: { columns: { delay: number }, ranges: { delay: [-60, 1500] } }',
);
const flights = departures('2013-03-08', '2013-03-10');
const end = new Date('2013-03-10T09:00:00Z');
const [first] = departedRows(flights);
const broken: SourceRow = { ...first, values: { delay: number(99_999) } };

let home: string;
let store: Running;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-quarantine-spec-'));
  store = await runFeatureStore({ home });
  await store.declare(declared(ranged));
});

afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const send = async (rows = [broken], watermark?: Date) =>
  (await store.ingest('flights', [{ source: 'departed', rows, watermark }]))[0];
const list = (state = '', limit = 0) => call(store.client, 'listQuarantine', { model: 'flights', state, limit });
const resolve = (id: string, state: string) => call(store.client, 'resolveQuarantine', { id, state, note: 'seen' });
const departuresAt = async (time: number) => {
  const { rows, numberFeatures } = await store.read('flights', [{ entityId: first.entityId, time }]);
  return rows[0].numbers[numberFeatures.indexOf('departures_1h')];
};

describe('a row out of its range', () => {
  it('is set aside with the reason, counted once, and in no feature', async () => {
    expect(await send()).toMatchObject({ accepted: 0, quarantined: 1, rejectedCount: 0 });
    expect(await send()).toMatchObject({ accepted: 0, quarantined: 0, duplicates: 1 });
    const { items, total } = await list('held');
    expect(total).toBe(1);
    expect(items[0]).toMatchObject({
      holder: 'feature-store',
      kind: 'out_of_range',
      source: 'departed',
      state: 'held',
    });
    expect(items[0].reasons).toEqual(['"delay" is 99999, outside [-60, 1500]']);
    expect(items[0].subject).toContain(first.entityId);
    expect(JSON.parse(items[0].rowJson)).toMatchObject({ entityId: first.entityId });
    expect(await departuresAt(first.knownAt!.getTime() + 1)).toBe(0);
  });

  it('leaves the other rows of its batch alone, and takes its bounds for inside', async () => {
    const [, second, third] = departedRows(flights);
    const edge = { ...third, values: { delay: number(1500) } };
    expect(await send([broken, second, edge])).toMatchObject({ accepted: 2, quarantined: 1 });
  });

  it('is set aside from a file too', async () => {
    const csv = 'entity_id,event_time,known_at,delay\nF1,2013-03-08,2013-03-08,5\nF2,2013-03-08,2013-03-08,-61\n';
    const description = { model: 'flights', source: 'departed', format: 'csv' };
    expect(await store.ingestFile(description, Buffer.from(csv))).toMatchObject({ accepted: 1, quarantined: 1 });
    expect(await store.ingestFile(description, Buffer.from(csv))).toMatchObject({ accepted: 0, duplicates: 2 });
  });

  it('that a person lets in is known from then on, never earlier, and once', async () => {
    const watermark = new Date(first.knownAt!.getTime() + 600_000);
    await send([broken], watermark);
    const [{ id }] = (await list()).items;
    expect(await resolve(id, 'released')).toMatchObject({ state: 'released', note: 'seen' });
    await resolve(id, 'released');
    expect(await departuresAt(watermark.getTime())).toBe(0);
    expect(await departuresAt(watermark.getTime() + 1)).toBe(1);
    expect(await send()).toMatchObject({ quarantined: 0, duplicates: 1 });
    expect((await list('held')).total).toBe(0);
    expect((await list('released')).total).toBe(1);
    await expect(resolve(id, 'upheld')).rejects.toMatchObject({ code: 'ALREADY_RELEASED' });
  });

  it('whose release a crash cut off is in after the next start, as of the instant that was fixed', async () => {
    const watermark = new Date(first.knownAt!.getTime() + 600_000);
    await send([broken], watermark);
    const [{ id }] = (await list()).items;
    const rows = store.service.ground.connection.model('QuarantinedRow');
    await rows.updateOne({ _id: id }, { $set: { state: 'releasing', releasedAt: watermark.getTime() + 1 } });
    await store.close();
    store = await runFeatureStore({ home });
    expect((await list('released')).items.map((item) => item.id)).toEqual([id]);
    expect(await departuresAt(watermark.getTime() + 1)).toBe(1);
  });

  it('that a person confirms as bad stays out, and can be let in later', async () => {
    await send();
    const [{ id }] = (await list()).items;
    expect(await resolve(id, 'upheld')).toMatchObject({ state: 'upheld' });
    expect(await departuresAt(first.knownAt!.getTime() + 1)).toBe(0);
    expect(await resolve(id, 'released')).toMatchObject({ state: 'released' });
    expect(await departuresAt(first.knownAt!.getTime() + 1)).toBe(1);
  });

  it('is listed newest first, no more than asked for, with the number of all', async () => {
    await send(
      departedRows(flights)
        .slice(0, 5)
        .map((row) => ({ ...row, values: { delay: number(5000) } })),
    );
    const { items, total } = await list('', 2);
    expect([items.length, total]).toEqual([2, 5]);
    expect(items[0].eventTime! >= items[1].eventTime!).toBe(true);
    await expect(list('gone')).rejects.toMatchObject({ code: 'STATE_UNKNOWN' });
    await expect(resolve('feature-store/none', 'released')).rejects.toMatchObject({ code: 'UNKNOWN_ITEM' });
  });
});

describe('a training set', () => {
  const known = labels(flights);
  const window = (source = '') => ({ start: new Date('2013-03-09T09:00:00Z'), end, source });
  const inside = known.filter(({ entityTime }) => entityTime! >= window().start && entityTime! < end);

  beforeEach(async () => {
    await store.ingest('flights', [{ source: 'schedule', rows: scheduleRows(flights), watermark: end }]);
    const sources = known.map((label, i) => ({ ...label, source: i % 2 ? 'tower' : 'bts' }));
    await store.label('flights.late15', sources, end);
  });

  it('leaves out the labels of an excluded stretch, counts them, and has a name of its own', async () => {
    const whole = await store.build('flights', '2013-03-20');
    const less = await store.build('flights', '2013-03-20', 0, [window()]);
    expect(whole.excludedRows).toBe(0);
    expect(inside.length).toBeGreaterThan(50);
    expect([less.rows, less.excludedRows]).toEqual([whole.rows - inside.length, inside.length]);
    expect(less.sha256).not.toBe(whole.sha256);
    const times = (await store.rowsOf(less)).map((row) => row.entity_time as number);
    expect(times.filter((time) => time >= window().start.getTime() && time < end.getTime())).toEqual([]);
    const overlapping = await store.build('flights', '2013-03-20', 0, [window(), window()]);
    expect([overlapping.sha256, overlapping.excludedRows]).toEqual([less.sha256, inside.length]);
  });

  it('leaves out one source only where one is named', async () => {
    const own = known.filter((label, i) => i % 2 && inside.includes(label));
    const less = await store.build('flights', '2013-03-20', 0, [window('tower')]);
    expect(less.excludedRows).toBe(own.length);
    expect((await store.build('flights', '2013-03-20', 0, [window('nobody')])).excludedRows).toBe(0);
  });

  it('refuses a window that is none', async () => {
    const backwards = { start: end, end: window().start, source: '' };
    await expect(store.build('flights', '2013-03-20', 0, [backwards])).rejects.toMatchObject({
      code: 'WINDOW_INVALID',
    });
  });

  it('of an earlier cutoff does not change when a row is let in later', async () => {
    const [question] = flights.map(askedAt).sort();
    const watermark = new Date(question);
    await store.ingest('flights', [{ source: 'departed', rows: [broken], watermark }]);
    const before = await store.build('flights', '2013-03-15');
    const [{ id }] = (await list()).items;
    await store.ingest('flights', [{ source: 'departed', rows: [], watermark: new Date('2013-03-16') }]);
    await resolve(id, 'released');
    expect((await store.build('flights', '2013-03-15')).sha256).toBe(before.sha256);
  });
});
