/**
 * What telemetry costs the hot paths, off and on: calls to a service (a handler that answers at once), and events from their
 * publication to the end of the handler. Off and on take turns in the same run; `bare` is the same call to a grpc-js
 * server without the kit. The collector is a thread that takes everything and keeps nothing. Prints JSON.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/telemetry.js [rounds]`
 */
import { Worker } from 'node:worker_threads';
import { events, LabelingClient, LabelingService, type ModelDeclared } from '@driftloop/contracts';
import { ConsumerGroup, grpcClient, type RunningService, When } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { type handleUnaryCall, Server, ServerCredentials } from '@grpc/grpc-js';
import { Controller, Module } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

const rounds = Number(process.argv[2] ?? 5);
const [calls, inFlight, heard] = [4000, 32, 4000];

const collector = `
  const { createServer } = require('node:http');
  const server = createServer((request, reply) => {
    request.on('data', () => {}).on('end', () => reply.setHeader('content-type', 'application/json').end('{}'));
  });
  server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port));
`;

@ConsumerGroup('labeling.when-model-declared')
class WhenModelDeclared {
  @When(events.modelDeclared)
  hear(_: ModelDeclared): void {}
}

@Controller()
class Door {
  @GrpcMethod('Labeling', 'GetOutcome')
  outcome() {
    return { revisions: [] };
  }
}

@Module({ controllers: [Door, WhenModelDeclared] })
class Nothing {}

const nothing = {
  name: 'labeling',
  module: Nothing,
  grpc: { packages: { 'driftloop.v1.Labeling': LabelingService }, port: 7001 },
} as const;

type Client = { getOutcome(request: object, done: (error: unknown) => void): void; close(): void };

/** µs a call, with so many under way. */
async function calling(client: Client): Promise<number> {
  const started = performance.now();
  let left = calls;
  const one = async () => {
    while (left-- > 0) await new Promise<void>((resolve) => client.getOutcome({ label: 'x' }, () => resolve()));
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return ((performance.now() - started) * 1000) / calls;
}

let told = 0;

/** µs an event, published by hundreds. */
async function hearing({ ground }: Awaited<ReturnType<typeof testService>>): Promise<number> {
  const { topic } = events.modelDeclared;
  const started = performance.now();
  for (let i = 0; i < heard; i += 100) {
    const batch = Array.from({ length: 100 }, () => {
      const model = `m${told++ % 50}`;
      return {
        id: `e${told}`,
        topic,
        key: `main/${model}`,
        time: told,
        source: 'registry',
        data: { tenant: 'main', model },
      };
    });
    await ground.bus.publish(batch);
  }
  await ground.bus.settled();
  return ((performance.now() - started) * 1000) / heard;
}

function bareServer(): Promise<{ port: number; server: Server }> {
  const server = new Server();
  const answer: handleUnaryCall<unknown, unknown> = (_, done) => done(null, { revisions: [] });
  server.addService({ getOutcome: LabelingService.getOutcome }, { getOutcome: answer });
  return new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve({ port, server }),
    ),
  );
}

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const figures = (numbers: readonly number[]) => {
  const rounded = numbers.map((one) => Math.round(one * 10) / 10);
  return { median: median(rounded), least: Math.min(...rounded), most: Math.max(...rounded) };
};

const thread = new Worker(collector, { eval: true });
const port = await new Promise<number>((resolve) => thread.once('message', resolve));
const quiet = { DRIFTLOOP_LOG_LEVEL: 'warn' };
const off = await testService(nothing, { environment: quiet });
const on = await testService(nothing, {
  environment: {
    ...quiet,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
  },
});
const bare = await bareServer();
const client = (to: number) => grpcClient(LabelingClient, `127.0.0.1:${to}`) as unknown as Client;
const clients = { bare: client(bare.port), off: client(off.port), on: client(on.port) };
const found = { calls: { bare: [], off: [], on: [] }, events: { off: [], on: [] } } as Record<
  string,
  Record<string, number[]>
>;
for (let round = -1; round < rounds; round++)
  for (const [name, service] of [
    ['off', off],
    ['on', on],
  ] as const) {
    const asked = await calling(clients[name]);
    const published = await hearing(service);
    const plain = name === 'off' ? await calling(clients.bare) : 0;
    if (round < 0) continue;
    found.calls[name].push(asked);
    found.events[name].push(published);
    if (plain) found.calls.bare.push(plain);
  }
for (const one of Object.values(clients)) one.close();
for (const service of [off, on] as RunningService[]) await service.close();
bare.server.forceShutdown();
await thread.terminate();
const shown = Object.entries(found).map(([what, by]) => [
  what,
  Object.fromEntries(Object.entries(by).map(([name, numbers]) => [name, figures(numbers)])),
]);
console.log(JSON.stringify({ unit: 'µs', rounds, ...Object.fromEntries(shown) }, null, 2));
