/** Spans: of events and calls, passed on through causes, sent to OTLP only where there is an endpoint. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { events, LabelingClient } from '@driftloop/contracts';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { call, grpcClient, Telemetry, testService } from './index.js';
import { tiny, World, world } from './spec/tiny-service.js';

const trace = '0af7651916cd43dd8448eb211c80319c';
const producer = `00-${trace}-b7ad6b7169203331-01`;
const logLines = { write: () => {} };
const open: { close(): unknown }[] = [];

beforeEach(() => Object.assign(world, new World()));
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function started(environment = {}, telemetry?: Telemetry) {
  const service = await testService(tiny, { environment, logLines, ...(telemetry && { telemetry }) });
  open.push(service);
  const client = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
  open.push(client);
  const declare = async (model: string) => {
    const data = { tenant: 'main', model };
    const event = { id: model, topic: events.modelDeclared.topic, key: `main/${model}`, time: 1, source: 'registry' };
    await service.ground.bus.publish([{ ...event, data, traceparent: producer }]);
    await service.ground.bus.settled();
  };
  return { service, client, declare };
}

const request = (label: string) => ({ label, outcomes: [], watermark: undefined });

it('makes a consumer span linked to the producer, and passes its own context into emissions', async () => {
  const exporter = new InMemorySpanExporter();
  const { service, declare } = await started({}, new Telemetry('labeling', new SimpleSpanProcessor({ exporter })));
  await declare('flights');
  await declare('poison');
  const [first, second] = exporter.getFinishedSpans();
  expect(first).toMatchObject({ name: 'process model.declared', kind: SpanKind.CONSUMER });
  expect(first.links[0].context).toMatchObject({ traceId: trace });
  expect(first.resource.attributes['service.name']).toBe('labeling');
  const { traceId, spanId } = first.spanContext();
  expect(traceId).not.toBe(trace);
  const emitted = (await Promise.all([0, 1].map((p) => service.ground.bus.read('labels.added', p, 0, 9)))).flat();
  expect(emitted[0].traceparent).toBe(`00-${traceId}-${spanId}-01`);
  expect(second.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no such thing' });
});

it('makes a server span below the caller, failed where the call failed', async () => {
  const exporter = new InMemorySpanExporter();
  const { client } = await started({}, new Telemetry('labeling', new SimpleSpanProcessor({ exporter })));
  await call(client, 'recordOutcomes', request('x'), { traceparent: producer });
  await call(client, 'recordOutcomes', request('unknown')).catch(() => {});
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name, kind }) => ({ name, kind }))).toEqual(
    Array(2).fill({ name: 'driftloop.v1.Labeling/RecordOutcomes', kind: SpanKind.SERVER }),
  );
  expect(spans.map((span) => span.status)).toEqual([
    { code: SpanStatusCode.UNSET },
    { code: SpanStatusCode.ERROR, message: 'label unknown is not known' },
  ]);
  expect(spans[0].spanContext().traceId).toBe(trace);
  expect(spans[1].spanContext().traceId).not.toBe(trace);
});

it('makes no spans without an endpoint, and still passes the context on', async () => {
  const { service, declare } = await started();
  expect(service.app.get(Telemetry).enabled).toBe(false);
  await declare('flights');
  expect(world.heard[0].cause.traceparent).toBe(producer);
});

it('sends spans to the OTLP endpoint, at the latest when it stops', async () => {
  const bodies: { url: string; body: string }[] = [];
  const collector = createServer((incoming, reply) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      bodies.push({ url: incoming.url ?? '', body: Buffer.concat(chunks).toString() });
      reply.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  open.push({ close: () => collector.closeAllConnections() }, { close: () => collector.close() });
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/`;
  const { service, client } = await started({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  await call(client, 'recordOutcomes', request('x'));
  await service.close();
  expect(bodies.map(({ url }) => url)).toEqual(['/v1/traces']);
  expect(bodies[0].body).toContain('driftloop.v1.Labeling/RecordOutcomes');
  expect(bodies[0].body).toContain('labeling');
});
