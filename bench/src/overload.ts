/**
 * A door at half of its capacity and at twice of it: what it still answers, and how long what it answers takes. Each call is
 * two milliseconds of this thread; capacity is what 32 callers that wait for their answers get. Prints JSON.
 *
 * Wanted: goodput at twice capacity at least .9 of capacity, p99 of what is answered within 3 times that at half.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/overload.js [seconds]`
 */
import { Worker } from 'node:worker_threads';
import { LabelingService, RecordOutcomesReply } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { Controller, Module } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { LoadReport, LoadRequest } from './grpc-load.worker.js';
import type { RateReport, RateRequest } from './overload.worker.js';

const seconds = Number(process.argv[2] ?? 5);
const workMs = 2;
const path = LabelingService.recordOutcomes.path;
const body = LabelingService.recordOutcomes.requestSerialize({ label: 'x', outcomes: [], watermark: undefined });

@Controller()
class Busy {
  @GrpcMethod('Labeling', 'RecordOutcomes')
  recordOutcomes(): RecordOutcomesReply {
    const began = performance.now();
    while (performance.now() - began < workMs);
    return RecordOutcomesReply.fromPartial({ accepted: 1 });
  }
}

@Module({ controllers: [Busy] })
class BusyModule {}

const busy: ServiceDefinition = {
  ...{ name: 'labeling', module: BusyModule },
  grpc: { packages: { 'driftloop.v1.Labeling': LabelingService }, port: 7001 },
};

function answerOf<R>(file: string, request: object): Promise<R> {
  const worker = new Worker(new URL(file, import.meta.url));
  return new Promise<R>((resolve, reject) => {
    worker.once('message', (report: R) => void worker.terminate().then(() => resolve(report)));
    worker.once('error', reject);
    worker.postMessage(request);
  });
}

const service = await testService(busy, { logLines: { write: () => {} } });
const { port } = service;
const asked = { port, path, body, seconds };
const closed = (concurrency: number) =>
  answerOf<LoadReport>('./grpc-load.worker.js', { ...asked, concurrency } satisfies LoadRequest);
const atRate = (rate: number) =>
  answerOf<RateReport>('./overload.worker.js', { ...asked, rate, clients: 4 } satisfies RateRequest);

await closed(8);
const { perSecond: capacity } = await closed(32);
const half = await atRate(capacity / 2);
const twice = await atRate(capacity * 2);
await service.close();
const figures = {
  goodputOfCapacity: twice.answeredPerSecond / capacity,
  p99OfHalfLoad: twice.p99 / half.p99,
};
console.log(JSON.stringify({ capacity, half, twice, ...figures }, null, 2));
