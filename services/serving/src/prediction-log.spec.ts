import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Arm, events, type Prediction, PredictionsMade } from '@driftloop/contracts';
import {
  type EmbeddedStore,
  Isolation,
  Metrics,
  openEmbeddedStore,
  openLog,
  Readiness,
  readSettings,
} from '@driftloop/service';
import { batchBytes, batchesOf } from './prediction-batches.js';
import { logCapacity, PredictionLog } from './prediction-log.js';
import { type ServedModel, ServedModels } from './served-models.js';
import { day, flights } from './testing/world.js';

const model: ServedModel = new ServedModels(
  new Readiness(),
  new Isolation(openLog('serving', 'silent'), new Metrics()),
).declare('main', 'flights', 1, flights);
const prediction = (i: number, change: Partial<Prediction> = {}): Prediction => ({
  id: `p${i}`,
  entityId: `e${i}`,
  entityTime: day(2),
  eventTime: day(1),
  version: 'v1',
  probability: 0.123456789012345,
  arm: i % 10 ? Arm.CHAMPION : Arm.CANARY,
  shadows: [{ version: 'v0', probability: 0.2, latencyMs: 1, error: '' }],
  numbers: model.layout.numbers.map((_, c) => -(i + c + 0.1) / 3e-100),
  texts: ['AA', 'LAX'],
  imputed: [],
  latencyMs: 1,
  error: '',
  question: `q${i}`.padEnd(16, '0'),
  ...change,
});
const many = (n: number, change?: Partial<Prediction>) => Array.from({ length: n }, (_, i) => prediction(i, change));

describe('batches of predictions', () => {
  it.each<[string, Partial<Prediction>]>([
    ['numbers of many digits', {}],
    ['texts of many bytes', { texts: ['\u0001'.repeat(1000), '\u2028'.repeat(1000)] }],
    ['everything imputed', { numbers: model.layout.numbers.map(() => Number.NaN), imputed: [...model.layout.numbers] }],
    [
      'long errors',
      { error: '"'.repeat(500), shadows: [{ version: 'v', probability: 1, latencyMs: 1, error: '\\'.repeat(500) }] },
    ],
  ])('stay below 512 KB with %s', (_what, change) => {
    const batches = batchesOf(model, many(2000, change), 0, 'replica');
    for (const { data } of batches) expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThan(512_000);
    const ids = batches.flatMap(({ data }) => PredictionsMade.fromJSON(data).predictions.map(({ id }) => id));
    expect(ids).toEqual(many(2000).map(({ id }) => id));
    expect(batchBytes).toBeLessThanOrEqual(512_000);
  });

  it('are few', () => {
    const batches = batchesOf(model, many(2000), 0, 'replica');
    expect(batches.length).toBeLessThan(10);
  });

  it('are named by what they hold, and say with the first how many were dropped', () => {
    const [first, ...rest] = batchesOf(model, many(2000), 5, 'replica');
    const [again] = batchesOf(model, many(2000), 0, 'another');
    expect(first.id).toBe(again.id);
    expect(PredictionsMade.fromJSON(first.data).dropped).toBe(5);
    for (const { data, id } of rest) {
      expect(PredictionsMade.fromJSON(data).dropped).toBe(0);
      expect(id).not.toBe(first.id);
    }
  });

  it('carry the latest event time of what they hold', () => {
    const [batch] = batchesOf(model, [prediction(1), prediction(2, { eventTime: day(5) }), prediction(3)], 0, 'r');
    expect(batch.time).toBe(day(5).getTime());
  });
});

describe('the prediction log', () => {
  let home: string;
  let store: EmbeddedStore;
  let log: PredictionLog;
  const heard: PredictionsMade[] = [];
  const settings = readSettings({ DRIFTLOOP_LOG_LEVEL: 'silent' });
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'driftloop-'));
    store = await openEmbeddedStore(home, settings);
    heard.splice(0);
    const { topic, partitions, keep } = events.predictionsMade;
    await store.bus.declare(topic, { partitions, keep });
    const handle = async ({ data }: { data: unknown }) => void heard.push(PredictionsMade.fromJSON(data));
    await store.bus.subscribe({ group: 'spec', topics: [topic], handle });
    log = new PredictionLog(store.bus, openLog('serving', 'silent'), settings);
  });
  afterEach(async () => {
    await log.onApplicationShutdown();
    await store.close();
    rmSync(home, { recursive: true });
  });

  const ids = () => heard.flatMap(({ predictions }) => predictions.map(({ id }) => id));

  it('holds the bus until everything is logged', async () => {
    log.began();
    await log.add(model, many(99), false);
    let settled = false;
    const waiting = store.bus.settled().then(() => {
      settled = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(settled).toBe(false);
    log.ended();
    await waiting;
    expect(ids()).toHaveLength(99);
  });

  it('logs a replay at once when nobody is being answered, and live traffic after an interval', async () => {
    log.began();
    await log.add(model, many(1), true);
    const began = performance.now();
    log.ended();
    await store.bus.settled();
    expect(performance.now() - began).toBeLessThan(150);
    expect(ids()).toEqual(['p0']);
    log.began();
    await log.add(model, [prediction(7)], false);
    log.ended();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(ids()).toEqual(['p0']);
    await store.bus.settled();
    expect(ids()).toEqual(['p0', 'p7']);
  });

  it('drops the newest when it is full, blind to the arm, and says how many', async () => {
    log.began();
    for (const one of many(logCapacity + 1000)) void log.add(model, [one], false);
    log.ended();
    await store.bus.settled();
    expect(ids()).toHaveLength(logCapacity);
    expect(heard.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(1000);
    const canaries = heard.flatMap(({ predictions }) => predictions).filter(({ arm }) => arm === Arm.CANARY);
    expect(canaries).toHaveLength(logCapacity / 10);
  });

  it('has a replay wait instead, and loses nothing', async () => {
    log.began();
    await Promise.all(many(logCapacity + 5000).map((one) => log.add(model, [one], true)));
    log.ended();
    await store.bus.settled();
    expect(new Set(ids()).size).toBe(logCapacity + 5000);
    expect(heard.every(({ dropped }) => dropped === 0)).toBe(true);
  });

  it('logs what waits when the service stops', async () => {
    log.began();
    await log.add(model, many(300), false);
    await log.onApplicationShutdown();
    await store.bus.settled();
    expect(ids()).toHaveLength(300);
  });

  it('counts what the bus refuses for good as dropped, and goes on', async () => {
    log.began();
    await log.add(model, [prediction(1, { texts: ['x'.repeat(2_000_000)] })], false);
    await log.flush();
    await log.add(model, [prediction(2)], false);
    log.ended();
    await store.bus.settled();
    expect(ids()).toEqual(['p2']);
    expect(heard[0].dropped).toBe(1);
  });
});
