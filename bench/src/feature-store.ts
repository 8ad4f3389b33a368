/**
 * The feature store on the year of flights, through its doors on the embedded default; prints JSON.
 * ingest: rows a second by gRPC stream (batches of 1000, watermarks at the end); labels: by events of 500;
 * read: wall and CPU microseconds a question, in batches of 1 and of 50; trainingSet: seconds for every label of the year;
 * restart: seconds from durable rows to the first answer.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  entityBucket,
  events,
  FeatureStoreClient,
  type Label,
  labelBuckets,
  type SourceRow,
  type Value,
} from '@driftloop/contracts';
import { featureStore } from '@driftloop/feature-store';
import { call, grpcClient } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';

const flights = new URL('../../examples/flights/', import.meta.url);
const [hour, minute] = [3_600_000, 60_000];
const batch = 1000;

function csv(name: string): Record<string, string>[] {
  const [header, ...lines] = gunzipSync(readFileSync(new URL(`data/${name}.csv.gz`, flights)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return lines.map((cells) => Object.fromEntries(header.map((column, i) => [column, cells[i]])));
}

const cell = (text: string): Value => ({ kind: { $case: 'text', value: text } });
const numeric = (text: string): Value => ({ kind: { $case: 'number', value: Number(text) } });

function row(entityId: string, eventTime: number, knownAt: number, values: Record<string, Value>): SourceRow {
  return { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}

function year() {
  const departures = csv('departures');
  const schedule = departures.map((d) => {
    const time = Date.parse(d.sched_dep_utc);
    const texts = { carrier: cell(d.carrier), dest: cell(d.dest), flight: cell(d.flight) };
    return row(d.flight_id, time, time - 24 * hour, { ...texts, distance: numeric(d.distance) });
  });
  const departed = departures
    .filter((d) => d.dep_delay !== '')
    .map((d) => {
      const left = Date.parse(d.sched_dep_utc) + Number(d.dep_delay) * minute;
      return row(d.flight_id, left, left, { delay: numeric(d.dep_delay) });
    });
  const arrived = departures
    .filter((d) => d.label_late15 !== '')
    .map((d) => {
      const landed = Date.parse(d.label_available_utc);
      return row(d.flight_id, landed, landed, {
        lost: numeric(String(Number(d.arr_delay) - Number(d.dep_delay))),
        airborne: numeric(d.air_time),
      });
    });
  const weather = csv('weather').map(({ time_hour, origin, ...rest }) => {
    const time = Date.parse(time_hour);
    const present = Object.entries(rest).filter(([, text]) => text !== '');
    const values = present.map(([name, text]) => [name, numeric(text)]);
    return row(origin, time, time + 52 * minute, Object.fromEntries(values));
  });
  const outcomes = departures
    .filter((d) => d.label_late15 !== '')
    .map(
      (d): Label => ({
        entityId: d.flight_id,
        entityTime: new Date(d.sched_dep_utc),
        knownAt: new Date(d.label_available_utc),
        value: Number(d.label_late15),
        ...{ source: 'bts', confidence: 1, revision: 1 },
      }),
    );
  return { departures, sources: { schedule, departed, arrived, weather }, outcomes };
}

const home = mkdtempSync(join(tmpdir(), 'driftloop-bench-'));
const world = year();
const open = async () => {
  const service = await testService(featureStore, { home });
  return { service, client: grpcClient(FeatureStoreClient, `127.0.0.1:${service.port}`) };
};
type Open = Awaited<ReturnType<typeof open>>;

async function declare({ service }: Open) {
  const specJson = readFileSync(new URL('model.yaml', flights), 'utf8');
  const payload = { tenant: 'main', model: 'flights', revision: 1, specJson, specSha256: '' };
  await publish(service, 'modelDeclared', [payload]);
}

async function publish(service: Open['service'], name: 'modelDeclared' | 'labelsAdded', payloads: object[]) {
  const definition = events[name];
  const list = payloads.map((payload, i) => ({
    id: `${name}-${i}`,
    topic: definition.topic,
    key: definition.key(payload as never),
    time: 0,
    source: 'bench',
    data: definition.payload.toJSON(payload as never),
  }));
  await service.ground.bus.publish(list);
  await service.ground.bus.settled();
}

function ingest({ client }: Open, source: string, rows: SourceRow[]) {
  return new Promise<void>((resolve, reject) => {
    const stream = client.ingest();
    stream.on('data', () => undefined);
    stream.on('end', resolve);
    stream.on('error', reject);
    for (let at = 0; at < rows.length; at += batch) {
      stream.write({ model: 'flights', source, rows: rows.slice(at, at + batch), watermark: undefined });
    }
    stream.end();
  });
}

function labelEvents() {
  const buckets = Map.groupBy(world.outcomes, ({ entityId }) => entityBucket(entityId, labelBuckets));
  return [...buckets].flatMap(([bucket, labels]) =>
    Array.from({ length: Math.ceil(labels.length / 500) }, (_, i) => ({
      ...{ tenant: 'main', label: 'flights.late15', bucket, watermark: undefined },
      labels: labels.slice(i * 500, (i + 1) * 500),
    })),
  );
}

async function read({ client }: Open, size: number, count: number) {
  const asked = world.departures.slice(-count);
  const started = performance.now();
  const cpu = process.cpuUsage();
  for (let at = 0; at < asked.length; at += size) {
    const questions = asked.slice(at, at + size).map((d) => ({
      entityId: d.flight_id,
      eventTime: new Date(Date.parse(d.sched_dep_utc) - hour),
      inputs: { carrier: cell(d.carrier), dest: cell(d.dest), flight: cell(d.flight), distance: numeric(d.distance) },
    }));
    await call(client, 'readOnline', { model: 'flights', questions, deadlineMs: 0 });
  }
  const { user, system } = process.cpuUsage(cpu);
  const wallUs = ((performance.now() - started) * 1000) / count;
  return { batch: size, wallUs: Math.round(wallUs), cpuUsClientAndServer: Math.round((user + system) / count) };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const peak = { rssMb: 0 };
const sampler = setInterval(() => {
  peak.rssMb = Math.max(peak.rssMb, Math.round(process.memoryUsage().rss / 1e6));
}, 20);

const store = await open();
await declare(store);
const rows = Object.values(world.sources).reduce((sum, list) => sum + list.length, 0);
const ingested = await seconds(async () => {
  for (const [source, list] of Object.entries(world.sources)) await ingest(store, source, list);
});
const labelled = await seconds(() => publish(store.service, 'labelsAdded', labelEvents()));
await read(store, 50, 5000);
const reads = [await read(store, 1, 5000), await read(store, 50, 20_000)];
const before = peak.rssMb;
const cutoff = {
  model: 'flights',
  specRevision: 0,
  knowledgeCutoff: new Date('2014-02-01'),
  excluded: [],
  specJson: '',
};
let set = await call(store.client, 'buildTrainingSet', cutoff, { deadlineMs: 300_000 });
const cpu = process.cpuUsage();
const trainingSet = await seconds(async () => {
  set = await call(store.client, 'buildTrainingSet', cutoff, { deadlineMs: 300_000 });
});
const { user, system } = process.cpuUsage(cpu);
store.client.close();
await store.service.close();
const restart = await seconds(async () => {
  const again = await open();
  await read(again, 1, 1);
  again.client.close();
  await again.service.close();
});
clearInterval(sampler);
rmSync(home, { recursive: true, force: true });
console.log(
  JSON.stringify({
    ingest: { rows, rowsPerSecond: Math.round(rows / ingested) },
    labels: { rows: world.outcomes.length, rowsPerSecond: Math.round(world.outcomes.length / labelled) },
    read: reads,
    trainingSet: { rows: set.rows, seconds: trainingSet, cpuSeconds: (user + system) / 1e6, sha256: set.sha256 },
    restart: { seconds: restart },
    memory: { rssMbBeforeTrainingSet: before, peakRssMb: peak.rssMb },
  }),
);
