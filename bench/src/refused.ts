/**
 * What a flood costs that is refused: 8 MB of empty submessages to `RecordOutcomes`, plain and
 * gzipped, without a credential and with one. Prints JSON: milliseconds until the status (median, slowest) and the memory that
 * was more at its highest, MiB.
 *
 * Wanted: under 50 ms at flat memory. How long the client takes to write the body is in it, where the door reads it.
 *
 * `npx tsc -b bench && node_modules/.bin/node --expose-gc bench/dist/refused.js [times]`
 */
import { Worker } from 'node:worker_threads';
import { LabelingService } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { Module } from '@nestjs/common';
import type { FloodReport, FloodRequest } from './refused.worker.js';

const times = Number(process.argv[2] ?? 20);
const token = 'the-credential-of-a-bench';
const path = '/driftloop.v1.Labeling/RecordOutcomes';

/** Nobody answers: what is measured never comes so far. */
@Module({})
class Nothing {}

const labeling: ServiceDefinition = {
  ...{ name: 'labeling', module: Nothing },
  grpc: { packages: { 'driftloop.v1.Labeling': LabelingService }, port: 7001 },
};

function flood(request: FloodRequest): Promise<FloodReport> {
  const worker = new Worker(new URL('./refused.worker.js', import.meta.url));
  return new Promise((resolve, reject) => {
    worker.once('message', (report: FloodReport) => void worker.terminate().then(() => resolve(report)));
    worker.once('error', reject);
    worker.postMessage(request);
  });
}

/** The most that a while of work had more than before it: heap and what hangs on it, of this thread. */
async function watched<T>(work: () => Promise<T>): Promise<{ result: T; moreMiB: number }> {
  globalThis.gc?.();
  const live = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = live();
  let highest = before;
  const looking = setInterval(() => {
    highest = Math.max(highest, live());
  }, 1);
  const result = await work();
  clearInterval(looking);
  return { result, moreMiB: Math.round((highest - before) / 2 ** 20) };
}

const service = await testService(labeling, {
  environment: { DRIFTLOOP_TOKEN: token },
  logLines: { write: () => {} },
});
const figures: Record<string, object> = {};
for (const [who, authorization] of Object.entries({ 'no credential': '', 'a credential': `Bearer ${token}` }))
  for (const gzipped of [false, true]) {
    const request = { port: service.port, path, authorization, gzipped, times, bytes: 8 * 2 ** 20 };
    await flood({ ...request, times: 3 });
    const { result, moreMiB } = await watched(() => flood(request));
    figures[`${who}, ${gzipped ? 'gzipped' : 'plain'}`] = { ...result, moreMiB };
  }
await service.close();
console.log(JSON.stringify(figures, null, 2));
