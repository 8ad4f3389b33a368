/**
 * The embedded log against bare node:sqlite inserts of the same rows, in the same run and in turns; the time from
 * publish to handler; and what `settled` costs. Prints JSON. Exit code 1 where the log is below half of the bare inserts.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/bus.js [events]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus, type OutgoingEvent } from '@driftloop/bus';
import { holdTo } from './floor.js';

const events = Number(process.argv[2] ?? 20_000);
const rounds = 5;
const leastRatio = 0.5;

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  return db;
}

function eventsOf(topic: string, count: number): OutgoingEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `event-${i}`,
    topic,
    key: `main/flights-${i % 16}`,
    time: 1_362_000_000_000 + i,
    source: 'serving',
    data: { tenant: 'main', model: 'flights', predictionId: `p-${i}`, score: i / count, features: [1, 2, 3, 4, 5, 6] },
  }));
}

/** Rows a second of bare inserts with the same columns, in transactions of `batch`. */
function bareInserts(db: DatabaseSync, batch: number, count: number): number {
  db.exec(`CREATE TABLE IF NOT EXISTS bare (position INTEGER PRIMARY KEY, published_at INTEGER, bytes INTEGER, id TEXT,
    key TEXT, time NUMERIC, source TEXT, traceparent TEXT, data TEXT)`);
  const insert = db.prepare('INSERT INTO bare VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)');
  const made = eventsOf('bare', count);
  const start = performance.now();
  for (let i = 0; i < count; i += batch) {
    db.exec('BEGIN');
    for (const { id, key, time, source, data } of made.slice(i, i + batch)) {
      const json = JSON.stringify(data);
      insert.run(0, json.length, id, key, time, source, null, json);
    }
    db.exec('COMMIT');
  }
  return count / ((performance.now() - start) / 1000);
}

/** Events a second of `publish` with so many events a call. */
async function publishing(bus: EmbeddedBus, batch: number, count: number): Promise<number> {
  const made = eventsOf('log', count);
  const start = performance.now();
  for (let i = 0; i < count; i += batch) await bus.publish(made.slice(i, i + batch));
  return count / ((performance.now() - start) / 1000);
}

/** Events a second that a group handles of a backlog, from disk. */
async function catchingUp(bus: EmbeddedBus, group: string, topic: string): Promise<number> {
  let heard = 0;
  const start = performance.now();
  const handle = async () => {
    heard++;
  };
  const subscription = await bus.subscribe({ group, topics: [topic], handle });
  await bus.settled();
  const seconds = (performance.now() - start) / 1000;
  await subscription.close();
  return heard / seconds;
}

/** Milliseconds from the call of `publish` to the call of the handler, one event at a time on a quiet bus. */
async function latencies(bus: EmbeddedBus, count: number): Promise<{ p50: number; p99: number; settledMs: number }> {
  await bus.declare('quiet', { partitions: 1, keep: '7d' });
  const took: number[] = [];
  let start = 0;
  const handle = async () => void took.push(performance.now() - start);
  await bus.subscribe({ group: 'quiet', topics: ['quiet'], handle });
  const begun = performance.now();
  for (const event of eventsOf('quiet', count)) {
    start = performance.now();
    await bus.publish([event]);
    await bus.settled();
  }
  const settledMs = (performance.now() - begun) / count;
  took.sort((a, b) => a - b);
  return { p50: took[Math.floor(count * 0.5)], p99: took[Math.floor(count * 0.99)], settledMs };
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function compare(bus: EmbeddedBus, bare: DatabaseSync, batch: number, count: number) {
  const [bareRates, logRates]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    bareRates.push(bareInserts(bare, batch, count));
    logRates.push(await publishing(bus, batch, count));
  }
  const [bareRate, logRate] = [median(bareRates), median(logRates)];
  return { batch, barePerSecond: bareRate, logPerSecond: logRate, ratio: logRate / bareRate };
}

function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(4));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]));
}

const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-'));
const [bare, db] = [open(join(folder, 'bare.db')), open(join(folder, 'log.db'))];
const bus = EmbeddedBus.open(db);
await bus.declare('log', { partitions: 2, keep: '7d' });
const publish = [await compare(bus, bare, 1, Math.ceil(events / 4)), await compare(bus, bare, 100, events)];
for (const { batch, ratio } of publish)
  holdTo(`publishing in batches of ${batch} against bare node:sqlite`, ratio, leastRatio);
const catchUpPerSecond = await catchingUp(bus, 'late', 'log');
const { settledMs, ...publishToHandlerMs } = await latencies(bus, Math.ceil(events / 4));
const publishAndSettleMs = settledMs;
console.log(
  JSON.stringify(rounded({ events, publish, catchUpPerSecond, publishToHandlerMs, publishAndSettleMs }), null, 2),
);
await bus.close();
db.close();
bare.close();
await rm(folder, { recursive: true });
