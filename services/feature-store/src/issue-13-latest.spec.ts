/** `latest` is what is dated by the question and known by then: the same online, after a restart, and in a training set. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceRow } from '@driftloop/contracts';
import { awkwardSpec, hour } from './testing/awkward.js';
import { declared, number, text } from './testing/flights.js';
import { type Running, runFeatureStore } from './testing/running.js';
import { compareTexts } from './views/text-order.js';

const day = 24 * hour;
const asked = Date.UTC(2020, 2, 27, 12);
const planned = asked + 2 * hour;
const air = (entityId: string, eventTime: number, knownAt: number, dust: number): SourceRow => ({
  ...{ entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values: { dust: number(dust) } },
});

let home: string;
let store: Running;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-latest-spec-'));
  store = await runFeatureStore({ home });
  await store.declare(declared(awkwardSpec));
  const values = { region: text('n'), size: number(1) };
  const plan = { entityId: 'v1', eventTime: new Date(planned), knownAt: new Date(asked - day), values };
  await store.ingest('visits', [{ source: 'plan', rows: [plan] }]);
  const label = { entityId: 'v1', entityTime: new Date(planned), knownAt: new Date(planned + hour), value: 1 };
  await store.label('visits.bad', [{ ...label, source: 'x', confidence: 1, revision: 1 }]);
});
afterEach(async () => {
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const online = async (time = asked) => {
  const { rows, numberFeatures } = await store.read('visits', [{ entityId: 'v1', time }]);
  return rows[0].numbers[numberFeatures.indexOf('dust')];
};
const everywhere = async () => {
  const before = await online();
  const joined = (await store.rowsOf(await store.build('visits', '2020-04-10')))[0].dust;
  await store.close();
  store = await runFeatureStore({ home });
  return [before, await online(), joined];
};
const ingest = (...rows: SourceRow[]) => store.ingest('visits', [{ source: 'air', rows }]);
const promise = async (ms: number) => {
  for (let at = asked; at < ms; at += 6 * day) await promiseOne(at);
  await promiseOne(ms);
};
const promiseOne = async (ms: number) => {
  const watermark = new Date(ms);
  await store.ingest(
    'visits',
    ['plan', 'seen', 'air'].map((source) => ({ source, rows: [], watermark })),
  );
  await store.label('visits.bad', [], watermark);
};

it('is not what is dated after the question, though it was known before', async () => {
  await ingest(air('a', asked - hour, asked - hour, 216), air('a', asked + hour, asked - 2 * hour, 99));
  expect(await everywhere()).toEqual([216, 216, 216]);
  expect(await online(asked + hour)).toBe(99);
});

it('is what was dated ahead once that time has come, also where it was known long before memory begins', async () => {
  const then = asked + 60 * day;
  await ingest(air('a', then - hour, asked, 99));
  await promise(then);
  expect(await online(then)).toBe(99);
  await store.close();
  store = await runFeatureStore({ home });
  expect([await online(then), await online(then - 2 * hour)]).toEqual([99, Number.NaN]);
});

it('goes by the names in UTF-8 where two rows are of one time, in whatever order they come', async () => {
  const at = asked - hour;
  await ingest(air('\u{1f600}', at, at, 2));
  await ingest(air('\uff21', at, at, 1));
  expect(await everywhere()).toEqual([2, 2, 2]);
});

it('orders texts as their bytes in UTF-8', () => {
  const texts = [
    '',
    'a',
    'ab',
    'b',
    'é',
    '\u07ff',
    '\ud7ff',
    '\ue000',
    '\uff21',
    '\u{10000}',
    '\u{1f600}',
    '\u{1f601}a',
  ];
  for (const a of texts)
    for (const b of texts)
      expect([a, b, Math.sign(compareTexts(a, b))]).toEqual([a, b, Buffer.compare(Buffer.from(a), Buffer.from(b))]);
});
