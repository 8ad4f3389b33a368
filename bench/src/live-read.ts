/**
 * What a live question about one entity costs: a call with nothing but its id, whose features serving reads from the feature
 * store, one call after the other; against a bare grpc-js echo of the same bytes, in turns in the same run, and against
 * the same read where the store waits half of serving's patience for a promise that no honest sender makes. Prints JSON.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/live-read.js [seconds] [rounds]`
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  canonicalSpec,
  type EventDefinition,
  events,
  FeatureStoreClient,
  inference,
  parseModelSpec,
  Rollout,
  RolloutChanged,
  type SourceRow,
  Stage,
  type Value,
} from '@driftloop/contracts';
import { featureStore } from '@driftloop/feature-store';
import { constantPriorGraph } from '@driftloop/onnx';
import { call, grpcClient } from '@driftloop/service';
import { serving } from '@driftloop/serving';
import { testService } from '@driftloop/testing/service';
import { Load, openEcho, type Run } from './grpc-load.js';

const seconds = Number(process.argv[2] ?? 3);
const [rounds, entities, hour] = [Number(process.argv[3] ?? 3), 2000, 3_600_000];
const spec = parseModelSpec(readFileSync('examples/flights/model.yaml', 'utf8'));
const path = '/inference.GRPCInferenceService/ModelInfer';
const [model, tenant] = ['flights', 'main'];
const live = { DRIFTLOOP_CLOCK: 'live', DRIFTLOOP_LOG_LEVEL: 'error' };
const began = Date.now();
type Service = Awaited<ReturnType<typeof testService>>;

async function tell<T>({ ground: { bus } }: Service, { topic, payload }: EventDefinition<T>, told: T): Promise<void> {
  const data = payload.toJSON(told);
  await bus.publish([{ id: topic, topic, key: `${tenant}/${model}`, time: began, source: 'registry', data }]);
  await bus.settled();
}

const { json, sha256 } = canonicalSpec(spec);
const declared = { tenant, model, revision: 1, specJson: json, specSha256: sha256 };

async function openStore(): Promise<Service> {
  const store = await testService(featureStore, { environment: live });
  await tell(store, events.modelDeclared, declared);
  const client = grpcClient(FeatureStoreClient, `127.0.0.1:${store.port}`);
  const stream = client.ingest();
  const acknowledged = new Promise((resolve) => stream.on('data', () => {}).on('end', resolve));
  const watermark = new Date(began);
  for (const [source, rows] of Object.entries(rowsOf())) stream.write({ model, source, rows, watermark });
  stream.end();
  await acknowledged;
  client.close();
  return store;
}

/** Two days of departures, an hour's lead before each of them and after. */
function rowsOf(): Record<string, SourceRow[]> {
  const n = (value: number): Value => ({ kind: { $case: 'number', value } });
  const t = (value: string): Value => ({ kind: { $case: 'text', value } });
  const row = (entityId: string, event: number, known: number, values: Record<string, Value>): SourceRow => ({
    ...{ entityId, eventTime: new Date(event), knownAt: new Date(known), values },
  });
  const times = Array.from({ length: entities }, (_, i) => began + hour - (i * 48 * hour) / entities);
  const attributes = (i: number) => ({ carrier: t(`C${i % 9}`), dest: t(`D${i % 60}`), flight: t(`F${i % 300}`) });
  const left = times.flatMap((at, i) => (at < began ? [{ at, id: `e${i}` }] : []));
  return {
    schedule: times.map((at, i) => row(`e${i}`, at, at - 24 * hour, { ...attributes(i), distance: n(500 + i) })),
    departed: left.map(({ at, id }, i) => row(id, at, at, { delay: n(i % 40) })),
    arrived: left.map(({ at, id }, i) => row(id, at, at, { lost: n(i % 30), airborne: n(100 + (i % 200)) })),
    weather: Array.from({ length: 48 }, (_, h) => row('JFK', began - h * hour, began - h * hour, { temp: n(h) })),
  };
}

async function openServing(store: Service): Promise<Service> {
  const environment = { ...live, DRIFTLOOP_FEATURE_STORE_ADDRESS: `127.0.0.1:${store.port}` };
  const service = await testService(serving, { environment });
  const bytes = constantPriorGraph(spec);
  const { key: uri } = await service.ground.objects.put(`${tenant}/models/flights/v0.onnx`, bytes);
  const artifact = { uri, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength };
  const champion = { version: 'v0', artifact, specRevision: 1 };
  const roles = { champion, effective: new Date(began - hour), stage: Stage.ENDED };
  const rollout = Rollout.fromPartial({ revision: 1, rolloutId: 'r1', ...roles });
  await tell(service, events.modelDeclared, declared);
  await tell(service, events.rolloutChanged, RolloutChanged.fromPartial({ tenant, model, rollout }));
  return service;
}

/** One entity by its id; no `id` of the request, so that each call is a question of its own. */
function requestBytes(): Buffer {
  const entity = { parameterChoice: { $case: 'stringParam', value: 'e0' } };
  const request = { modelName: model, parameters: { entity_id: entity } };
  return Buffer.from(
    inference.ModelInferRequest.encode(inference.ModelInferRequest.fromPartial(request as never)).finish(),
  );
}

/** What every live read has cost as long as serving waited: half of its usual patience of 100 ms. */
async function waitingMs(store: Service): Promise<number> {
  const client = grpcClient(FeatureStoreClient, `127.0.0.1:${store.port}`);
  const took: number[] = [];
  for (let i = 0; i < 20; i++) {
    const questions = [{ entityId: 'e0', eventTime: new Date(), inputs: {} }];
    const from = performance.now();
    await call(client, 'readOnline', { model, questions, deadlineMs: 50 });
    took.push(performance.now() - from);
  }
  client.close();
  return median(took);
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);

const store = await openStore();
const service = await openServing(store);
const echo = await openEcho(path);
const load = new Load(path, requestBytes());
const runs = { echo: [] as Run[], live: [] as Run[] };
for (const port of [echo.port, service.port]) await load.run(port, 1, 1);
for (let round = 0; round < rounds; round++) {
  runs.echo.push(await load.run(echo.port, seconds, 1));
  runs.live.push(await load.run(service.port, seconds, 1));
}
const of = (kind: keyof typeof runs) => {
  const middle = (what: keyof Run) => median(runs[kind].map((run) => run[what]));
  // Beside others the least is what the machine could do, and the ratio of the two what the call costs.
  const least = Math.min(...runs[kind].map(({ p50 }) => p50));
  return { perSecond: middle('perSecond'), p50: middle('p50'), least, p99: middle('p99'), cpuUs: middle('cpuUs') };
};
const failed = runs.live.reduce((sum, run) => sum + run.failed, 0);
const report = { entities, echo: of('echo'), live: of('live'), failed, storeThatWaitsMs: await waitingMs(store) };
console.log(JSON.stringify(report, rounded, 2));
await load.close();
echo.close();
await service.close();
await store.close();
