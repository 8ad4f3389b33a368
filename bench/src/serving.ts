/**
 * Serving under load: requests with all 62 features of the flights, scored by three graphs of 300 trees of 15 leaves
 * (champion, challenger in shadow, frozen), logged on the embedded bus; against a bare grpc-js echo of the same bytes,
 * in turns in the same run. Then its p99 beside a thread that keeps a core busy, and the cost of loading a graph.
 * The client is a thread of its own. Prints JSON.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/serving.js [seconds]`
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type BoosterModel, type Column, Random, train } from '@driftloop/algorithms';
import {
  canonicalSpec,
  events,
  featureColumns,
  inference,
  parseModelSpec,
  Rollout,
  RolloutChanged,
  type ServedVersion,
  Stage,
} from '@driftloop/contracts';
import { boosterGraph } from '@driftloop/onnx';
import { serving } from '@driftloop/serving';
import { testService } from '@driftloop/testing/service';
import { Load, openEcho, type Run } from './grpc-load.js';

const seconds = Number(process.argv[2] ?? 4);
const [trees, leaves, rounds, concurrency] = [300, 15, 3, 64];
const spec = parseModelSpec(readFileSync('examples/flights/model.yaml', 'utf8'));
const path = '/inference.GRPCInferenceService/ModelInfer';
const at = new Date('2013-02-14T09:00:00Z');

/** A booster on noise: what it costs to score does not depend on what it has learned. */
function boosterOf(seed: number): BoosterModel {
  const random = new Random(seed);
  const rows = 1500;
  const columns = featureColumns(spec).map(({ name, kind }): Column => {
    if (kind === 'number')
      return { name, kind: 'numeric', values: Float64Array.from({ length: rows }, () => random.normal()) };
    const categories = Array.from({ length: 30 }, (_, i) => `${name}-${i}`);
    return {
      name,
      kind: 'categorical',
      categories,
      codes: Int32Array.from({ length: rows }, () => random.integer(30)),
    };
  });
  const labels = Float64Array.from({ length: rows }, () => (random.uniform() < 0.25 ? 1 : 0));
  return train({ rows, columns, labels }, { trees, leaves, minRowsPerLeaf: 5 }, { seed });
}

function requestBytes(): Buffer {
  const random = new Random(7);
  const own = Object.entries(spec.spec.request.inputs);
  const names = [...new Set([...own.map(([name]) => name), ...featureColumns(spec).map(({ name }) => name)])];
  const texts: Record<string, string> = { carrier: 'carrier-3', dest: 'dest-5', flight: 'AA1' };
  const inputs = names.map((name) => {
    const text = name === spec.spec.entity.time ? at.toISOString() : texts[name];
    const contents = text ? { bytesContents: [Buffer.from(text)] } : { fp64Contents: [random.normal()] };
    return { name, datatype: text ? 'BYTES' : 'FP64', shape: [1, 1], contents };
  });
  const request = inference.ModelInferRequest.fromPartial({ modelName: 'flights', inputs } as never);
  return Buffer.from(inference.ModelInferRequest.encode(request).finish());
}

async function openServing() {
  const service = await testService(serving, { environment: { DRIFTLOOP_LOG_LEVEL: 'error' } });
  const { bus, objects } = service.ground;
  const loadMs: number[] = [];
  const versionOf = async (name: string, seed: number): Promise<ServedVersion> => {
    const bytes = boosterGraph(boosterOf(seed), { kind: 'platt', a: 1, b: 0 }, spec);
    const { key } = await objects.put(`main/models/flights/${name}.onnx`, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { version: name, artifact: { uri: key, sha256, bytes: bytes.byteLength }, specRevision: 1 };
  };
  const versions = await Promise.all([1, 2, 3].map((n) => versionOf(`v${n}`, n)));
  const roles = { champion: versions[0], challenger: versions[1], frozen: versions[2], stage: Stage.SHADOW };
  const rollout = Rollout.fromPartial({ revision: 1, effective: at, rolloutId: 'r1', ...roles });
  const { json, sha256 } = canonicalSpec(spec);
  const [model, tenant] = ['flights', 'main'];
  const declared = { tenant, model, revision: 1, specJson: json, specSha256: sha256 };
  const common = { key: 'main/flights', time: at.getTime(), source: 'registry' };
  await bus.publish([{ ...common, id: 'd', topic: events.modelDeclared.topic, data: declared }]);
  await bus.settled();
  const began = performance.now();
  const changed = events.rolloutChanged.payload.toJSON(RolloutChanged.fromPartial({ tenant, model, rollout }));
  await bus.publish([{ ...common, id: 'r', topic: events.rolloutChanged.topic, data: changed }]);
  await bus.settled();
  loadMs.push((performance.now() - began) / 3);
  return { service, bytes: versions[0].artifact!.bytes, loadMs: loadMs[0] };
}

const busyThread = () => new Worker('for (;;) Math.sqrt(Math.random());', { eval: true });
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);

const { service, bytes, loadMs } = await openServing();
const echo = await openEcho(path);
const load = new Load(path, requestBytes());
const runs = { echo: [] as Run[], serving: [] as Run[] };
for (const port of [echo.port, service.port]) await load.run(port, 1, concurrency);
for (let round = 0; round < rounds; round++) {
  runs.echo.push(await load.run(echo.port, seconds, concurrency));
  runs.serving.push(await load.run(service.port, seconds, concurrency));
}
const of = (kind: keyof typeof runs) => {
  const middle = (what: keyof Run) => median(runs[kind].map((run) => run[what]));
  return { perSecond: middle('perSecond'), p50: middle('p50'), p99: middle('p99'), cpuUs: middle('cpuUs') };
};
const [bare, asked] = [of('echo'), of('serving')];
const idle = await load.run(service.port, seconds, 4);
const busy = busyThread();
const beside = await load.run(service.port, seconds, 4);
await busy.terminate();
const report = {
  graphs: { count: 3, trees, leaves, bytes, loadMs },
  requestBytes: requestBytes().length,
  concurrency,
  echo: bare,
  serving: asked,
  ratio: asked.perSecond / bare.perSecond,
  failed: runs.serving.reduce((sum, { failed }) => sum + failed, 0),
  concurrency4: { idle, besideABusyThread: beside, p99Ratio: beside.p99 / idle.p99 },
};
console.log(JSON.stringify(report, rounded, 2));
await load.close();
echo.close();
await service.close();
