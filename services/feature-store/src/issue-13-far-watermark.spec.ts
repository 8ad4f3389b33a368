/** One source that promises too much: it is refused by name, forgets nothing of the others', and can be taken back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EntitiesObserved, events, FeaturesIngested } from '@driftloop/contracts';
import { call } from '@driftloop/service';
import { HandClock } from '@driftloop/testing/clock';
import { Models } from './models.js';
import {
  askedAt,
  declared,
  departedRows,
  departures,
  flightsSpec,
  labels,
  scheduleRows,
  weatherRows,
} from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';

const [from, to] = ['2013-03-08', '2013-03-11'];
const [hour, day] = [3_600_000, 86_400_000];
const flights = departures(from, to);
const end = new Date(`${to}T09:00:00Z`);
const later = (ms: number) => new Date(end.getTime() + ms);
const batches = [
  { source: 'schedule', rows: scheduleRows(flights), watermark: end },
  { source: 'departed', rows: departedRows(flights), watermark: end },
  { source: 'weather', rows: weatherRows(from, to), watermark: end },
];
const questions = flights.slice(-40).map((d) => ({ entityId: d.flight_id, time: askedAt(d) }));

let home: string;
let store: Running;
const open = async (environment: Record<string, string> = {}, clock?: HandClock) => {
  store = await runFeatureStore({ home, environment, ...(clock && { clock }) });
};
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-watermark-spec-'));
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const fill = async () => {
  await store.declare(declared());
  await store.ingest('flights', batches);
  await store.label('flights.late15', labels(flights), end);
};
const promise = (watermark: Date, source = 'weather') => store.ingest('flights', [{ source, rows: [], watermark }]);
const answers = async () => (await store.read('flights', questions)).rows;
const viewOf = () => store.service.app.get(Models).of('main', 'flights');
const list = async () => (await call(store.client, 'listWatermarks', { model: 'flights' })).sources;
const of = async (source: string) => (await list()).find((one) => one.source === source)!;
const withdraw = (source: string, back?: Date) =>
  call(store.client, 'withdrawWatermark', { model: 'flights', source, to: back, note: 'a wrong clock' });
const refused = { code: 'WATERMARK_AHEAD', retriable: false };

describe('a promise of a watermark in a replay', () => {
  beforeEach(async () => {
    await open();
    await fill();
  });

  it.each([['2199-12-31'], ['2031-01-01'], [later(30 * day).toISOString()]])(
    'of %s is refused, at every door, and changes nothing',
    async (time) => {
      const before = await answers();
      const watermark = new Date(time);
      await expect(promise(watermark)).rejects.toMatchObject({
        ...refused,
        message: expect.stringMatching(/^the watermark of "weather" of "flights" is .*, and nothing can be known yet/),
      });
      const columns = Object.keys(flightsSpec.spec.sources.weather.columns);
      const csv = Buffer.from(`entity_id,event_time,known_at,${columns.join(',')}\n`);
      const description = { model: 'flights', source: 'weather', format: 'csv', watermark };
      await expect(store.ingestFile(description, csv)).rejects.toMatchObject(refused);
      const { topic, key } = events.entitiesObserved;
      const observed = EntitiesObserved.fromPartial({ model: 'flights', source: 'weather', watermark });
      const event = { id: 'theirs', topic, key: key(observed), time: 0, source: 'external' };
      await store.bus.publish([{ ...event, data: EntitiesObserved.toJSON(observed) }]);
      await store.bus.settled();
      const dead = await store.bus.dead('feature-store.when-entities-observed');
      expect(dead.map(({ error }) => error.code)).toEqual(['WATERMARK_AHEAD']);
      expect((await of('weather')).watermark).toEqual(end);
      expect(await answers()).toEqual(before);
    },
  );

  it('goes on in steps, and with the rows that it is about', async () => {
    await promise(later(6 * day));
    await promise(later(12 * day));
    const knownAt = later(40 * day);
    const row = { entityId: 'JFK', eventTime: knownAt, knownAt, values: {} };
    await store.ingest('flights', [{ source: 'weather', rows: [row], watermark: knownAt }]);
    expect((await of('weather')).watermark).toEqual(knownAt);
  });

  it('refuses a row that is known only in the future, where all others are past, and takes those', async () => {
    const rows = [...weatherRows(to, '2013-03-12').slice(0, 2)];
    const ahead = { ...rows[0], knownAt: new Date('2199-01-01') };
    const [reply] = await store.ingest('flights', [{ source: 'weather', rows: [rows[0], ahead, rows[1]] }]);
    expect(reply).toMatchObject({ accepted: 2, rejected: [{ index: 1, code: 'KNOWN_AHEAD' }] });
  });
});

describe('a promise of a watermark, live,', () => {
  const now = end.getTime() + hour;
  beforeEach(async () => {
    await open({ DRIFTLOOP_CLOCK: 'live' }, new HandClock(now));
    await fill();
  });

  it('goes as far as the clock and what clocks differ by, and no further', async () => {
    await promise(new Date(now + hour));
    await expect(promise(new Date(now + hour + 1))).rejects.toMatchObject(refused);
    const description = { model: 'flights', source: 'weather', format: 'csv', watermark: new Date(now + 2 * hour) };
    // Refused before anything of the file is read.
    await expect(store.ingestFile(description, Buffer.from('neither rows nor columns'))).rejects.toMatchObject(refused);
  });

  it('is waited for by nobody who asks for what is known: the answer says how old that is', async () => {
    const { rows } = await store.read('flights', [{ entityId: flights[0].flight_id, time: now + 6 * hour }]);
    expect(rows[0]).toMatchObject({ complete: false, behindMs: 7 * hour });
    expect(rows[0].stale).toEqual(expect.arrayContaining(['temp', 'delay_1h', 'late_2h', 'lost_2h']));
    expect(rows[0].stale).not.toContain('distance');
  });

  it('is asked for by no row: one that is known later than the clock says is refused by name', async () => {
    const [row] = weatherRows(to, '2013-03-12');
    const ahead = { ...row, knownAt: new Date(now + 2 * hour) };
    const [reply] = await store.ingest('flights', [{ source: 'weather', rows: [ahead] }]);
    expect(reply).toMatchObject({ accepted: 0, rejected: [{ index: 0, code: 'KNOWN_AHEAD' }] });
  });
});

describe('one source that has come far ahead of the others', () => {
  /** As stores of before have taken it. */
  const poison = () =>
    viewOf().record(
      'weather',
      [],
      { part: 0, watermark: Date.parse('2199-12-31') },
      {
        outbox: store.service.ground.outbox,
        cause: { id: 'before', time: 0, tenant: 'main' },
      },
    );
  beforeEach(async () => {
    await open();
    await fill();
  });

  it('moves nothing that is kept of the others, nor makes them silent, also after a restart', async () => {
    const held = viewOf().view.size;
    const before = await answers();
    await poison();
    for (let start = 0; start < 2; start++) {
      expect(viewOf().view.size).toBe(held);
      expect(viewOf().watermarks.now()).toBe(end.getTime());
      expect(await answers()).toEqual(before);
      await store.close();
      await open();
    }
  });

  it('is seen by an operator, beside sources that have never promised', async () => {
    await poison();
    expect((await list()).map(({ source, watermark }) => [source, watermark?.toISOString().slice(0, 10)])).toEqual([
      ['schedule', to],
      ['departed', to],
      ['arrived', undefined],
      ['weather', '2199-12-31'],
      ['outcomes', to],
    ]);
    expect(await of('arrived')).toMatchObject({ rows: 0, newestKnownAt: undefined, silent: false });
    expect((await of('departed')).newestKnownAt!.getTime()).toBeGreaterThan(Date.parse(to));
  });

  it.each([[end], [undefined]])('is taken back to %s, and goes on as ever, also after a restart', async (back) => {
    await poison();
    expect((await withdraw('weather', back)).watermark).toEqual(back);
    await withdraw('weather', back);
    await store.close();
    await open();
    expect((await of('weather')).watermark).toEqual(back);
    await promise(later(hour));
    expect((await of('weather')).watermark).toEqual(later(hour));
    expect((await answers()).every(({ complete }) => complete)).toBe(true);
    await store.bus.settled();
    const told = (await store.bus.read(events.featuresIngested.topic, 0, 0, 100)).map(({ data }) =>
      FeaturesIngested.fromJSON(data),
    );
    expect(told.filter(({ withdrawn }) => withdrawn)).toMatchObject([{ source: 'weather', note: 'a wrong clock' }]);
  });

  it('stays taken back when its batches have become a segment', async () => {
    await poison();
    await withdraw('weather');
    const log = await viewOf().log('weather', viewOf().plan.sources.get('weather')!);
    await log.compact();
    await store.close();
    await open();
    expect((await of('weather')).watermark).toBeUndefined();
  });

  it('is not taken back where the source is none, or the time is none', async () => {
    await expect(withdraw('tides')).rejects.toMatchObject({ code: 'UNKNOWN_SOURCE' });
    await expect(withdraw('weather', new Date('9999-01-01'))).rejects.toMatchObject({ code: 'TIME_INVALID' });
  });
});
