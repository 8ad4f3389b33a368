/** What a service tells of itself: spans over bus and calls, metrics, log lines; sent to OTLP only where there is an endpoint. */
import { events, LabelingClient } from '@driftloop/contracts';
import { type ReceivedSpan } from '@driftloop/testing/otlp-wire';
import { openReceiver, type Receiver } from '@driftloop/testing/receiver';
import { testService } from '@driftloop/testing/service';
import { SpanKind } from '@opentelemetry/api';
import * as semantics from '@opentelemetry/semantic-conventions';
import * as unstable from '@opentelemetry/semantic-conventions/incubating';
import { call, Metrics, Telemetry } from '../index.js';
import { tiny, World, world } from '../testing/tiny-service.js';
import { names } from './conventions.js';
import { metricCatalogue } from './metric-catalogue.js';

const trace = '0af7651916cd43dd8448eb211c80319c';
const producer = `00-${trace}-b7ad6b7169203331-01`;
const token = 'correct-horse-battery';
const [server, client, sending, hearing] = [SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER];
/** OTLP counts kinds from 1 (internal). */
const wire = (kind: SpanKind) => kind + 1;
const open: { close(): unknown }[] = [];
let receiver: Receiver;

beforeEach(async () => {
  Object.assign(world, new World());
  receiver = await openReceiver();
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
  await receiver.close();
});

async function started(environment: Record<string, string> = {}, lines: string[] = []) {
  const service = await testService(tiny, { environment, logLines: { write: (line) => void lines.push(line) } });
  open.push(service);
  const asking = service.ground.addresses.client(LabelingClient, 'labeling');
  open.push(asking);
  const declare = async (model: string) => {
    const data = { tenant: 'main', model };
    const event = { id: model, topic: events.modelDeclared.topic, key: `main/${model}`, time: 1, source: 'registry' };
    await service.ground.bus.publish([{ ...event, data, traceparent: producer }]);
    await service.ground.bus.settled();
  };
  return { service, client: asking, declare };
}

const watched = () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, DRIFTLOOP_TOKEN: token });
const request = (label: string) => ({ label, outcomes: [], watermark: undefined });
const named = (name: string) => receiver.spans.filter((span) => span.name === name);
const idOf = ({ traceId, spanId }: Pick<ReceivedSpan, 'traceId' | 'spanId'>) => `${traceId}/${spanId}`;
const newest = (name: string) => receiver.metrics.findLast((metric) => metric.name === name);
const points = (name: string) => newest(name)?.points ?? [];

it('names spans and their attributes as the conventions of the installed package do', () => {
  const known = new Set<unknown>([...Object.values(semantics as object), ...Object.values(unstable as object)]);
  expect(Object.values(names).filter((name) => !known.has(name))).toEqual([]);
  const conventional = Object.keys(metricCatalogue).filter((name) => !name.startsWith('driftloop.'));
  expect(conventional.filter((name) => !known.has(name))).toEqual([]);
  expect(unstable.ATTR_MESSAGING_SYSTEM_NAME).toBe(names.messagingSystem);
});

it('links a handled event to the one that sent it, and sends what it tells below itself', async () => {
  const { service, declare } = await started(watched());
  await declare('flights');
  const heard = (await Promise.all([0, 1].map((p) => service.ground.bus.read('labels.added', p, 0, 9)))).flat();
  await service.close();
  expect(receiver.refused).toEqual([]);
  const [processed] = named('process model.declared');
  expect(processed).toMatchObject({ service: 'labeling', kind: wire(hearing), parentSpanId: '', failed: false });
  expect(processed.links.map(idOf)).toEqual([`${trace}/b7ad6b7169203331`]);
  expect(processed.attributes).toMatchObject({
    ...{
      'messaging.system.name': 'driftloop',
      'messaging.operation.type': 'process',
      'messaging.message.id': 'flights',
    },
    ...{
      'messaging.destination.name': 'model.declared',
      'messaging.consumer.group.name': 'labeling.when-model-declared',
    },
    ...{ 'messaging.destination.partition.id': expect.stringMatching(/^\d+$/), 'driftloop.bus.offset': 0 },
  });
  const [sent] = named('send labels.added');
  expect(sent).toMatchObject({ kind: wire(sending), traceId: processed.traceId, parentSpanId: processed.spanId });
  expect(sent.attributes).toMatchObject({ 'messaging.operation.type': 'send', 'messaging.message.id': heard[0].id });
  expect(heard[0].traceparent).toBe(`00-${sent.traceId}-${sent.spanId}-01`);
});

it('says how a handler failed, and how often it was tried', async () => {
  const { service, declare } = await started(watched());
  await declare('poison');
  world.away = true;
  setTimeout(() => {
    world.away = false;
  }, 150);
  await declare('flights');
  await service.close();
  const [poison, ...tried] = named('process model.declared');
  expect(poison).toMatchObject({ failed: true, attributes: { 'error.type': 'TypeError' } });
  expect(tried.length).toBeGreaterThan(1);
  expect(tried[0]).toMatchObject({ failed: true, attributes: { 'error.type': 'AWAY' } });
  expect(tried.at(-1)).toMatchObject({ failed: false, attributes: { 'driftloop.attempt': tried.length } });
  const kinds = points('messaging.client.consumed.messages').map(({ labels, value }) => [labels['error.type'], value]);
  expect(new Map(kinds as [string, number][])).toEqual(
    new Map([
      ['TypeError', 1],
      ['AWAY', tried.length - 1],
      [undefined as unknown as string, 1],
    ]),
  );
});

it('hangs the answer below the question, over the wire', async () => {
  const { service } = await started(watched());
  const other = service.app.get(Telemetry);
  const { Addresses } = await import('../addresses.js');
  const asking = service.app.get(Addresses).client(LabelingClient, 'labeling');
  open.push(asking);
  const span = other.served('work', {}, producer);
  await other.run(span, () => call(asking, 'recordOutcomes', request('x')));
  await other.run(span, () => call(asking, 'recordOutcomes', request('unknown')).catch(() => {}));
  await other.run(span, () => call(asking, 'recordOutcomes', request('away')).catch(() => {}));
  await other.run(span, () => call(asking, 'recordOutcomes', request('x'), { traceparent: producer }));
  other.end(span);
  await service.close();
  const calls = named('driftloop.v1.Labeling/RecordOutcomes');
  const asked = calls.filter(({ kind }) => kind === wire(client));
  const answered = calls.filter(({ kind }) => kind === wire(server));
  expect(asked.map(({ parentSpanId, traceId }) => [traceId, parentSpanId])).toEqual(
    Array(3).fill([trace, span.spanContext().spanId]),
  );
  // The last one named the span to be told of: none comes between.
  expect(answered.map(({ parentSpanId }) => parentSpanId)).toEqual([
    ...asked.map(({ spanId }) => spanId),
    'b7ad6b7169203331',
  ]);
  const status = (spans: ReceivedSpan[]) =>
    spans.map(({ attributes, failed }) => [attributes['rpc.status_code'], failed]);
  expect(status(asked)).toEqual([
    ['OK', false],
    ['NOT_FOUND', true],
    ['UNAVAILABLE', true],
  ]);
  // A server is not at fault where its caller is.
  expect(status(answered)).toEqual([
    ['OK', false],
    ['NOT_FOUND', false],
    ['UNAVAILABLE', true],
    ['OK', false],
  ]);
  expect(asked[0].attributes).toMatchObject({
    ...{ 'rpc.system.name': 'grpc', 'rpc.method': 'driftloop.v1.Labeling/RecordOutcomes' },
    ...{ 'server.address': '127.0.0.1', 'server.port': service.port },
  });
  const servedBy = points('rpc.server.call.duration').map(({ labels, count }) => [labels['rpc.status_code'], count]);
  expect(servedBy.sort()).toEqual([
    ['NOT_FOUND', 1],
    ['OK', 2],
    ['UNAVAILABLE', 1],
  ]);
});

it('tells metrics with the units and labels of the catalogue, and no others', async () => {
  const { service, client: asking, declare } = await started(watched());
  await declare('flights');
  await declare('poison');
  await call(asking, 'recordOutcomes', request('x'));
  await service.close();
  const own = receiver.metrics.filter(({ scope }) => scope === '@driftloop/service');
  for (const { name, unit, points: series, service: of, replica } of own) {
    const { unit: declared, labels } = metricCatalogue[name as keyof typeof metricCatalogue];
    expect([name, unit, of, replica]).toEqual([name, declared, 'labeling', 'embedded']);
    for (const point of series)
      expect(Object.keys(point.labels).filter((label) => !(labels as readonly string[]).includes(label))).toEqual([]);
  }
  expect(points('driftloop.service.ready')).toEqual([{ labels: {}, value: 0 }]);
  expect(newest('messaging.process.duration')!.points[0].bounds).toEqual(
    metricCatalogue['messaging.process.duration'].buckets,
  );
  expect(points('messaging.client.sent.messages')).toEqual([
    { labels: expect.objectContaining({ 'messaging.destination.name': 'labels.added' }), value: 1 },
  ]);
  expect(points('process.memory.usage')[0].value).toBeGreaterThan(10e6);
});

it('drops labels that the catalogue does not have, and adds up what is above a thousand series', async () => {
  const { service } = await started(watched());
  const metrics = service.app.get(Metrics);
  const [sent, delays] = [
    metrics.counter('messaging.client.sent.messages'),
    metrics.histogram('driftloop.label.delay'),
  ];
  for (const user of ['a', 'b']) sent.add(1, { 'messaging.destination.name': 'labels.added', user });
  for (let i = 0; i < 1200; i++) delays.record(1, { 'driftloop.label': `label-${i}` });
  await service.close();
  expect(points('messaging.client.sent.messages')).toEqual([
    { labels: { 'messaging.destination.name': 'labels.added' }, value: 2 },
  ]);
  expect(points('driftloop.label.delay')).toHaveLength(1000);
  const rest = points('driftloop.label.delay').find(({ labels }) => labels['otel.metric.overflow']);
  expect(rest).toMatchObject({ count: 201 });
});

it('reads lag, dead letters and the outbox while it runs', async () => {
  const { service, declare } = await started({ ...watched(), OTEL_METRIC_EXPORT_INTERVAL: '100' });
  await declare('poison');
  const group = { 'messaging.consumer.group.name': 'labeling.when-model-declared' };
  const until = async (holds: () => boolean) => {
    for (let i = 0; i < 200 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  await until(() => points('driftloop.consumer.dead_letters')[0]?.value === 1);
  expect(points('driftloop.consumer.dead_letters')).toEqual([{ labels: group, value: 1 }]);
  expect(points('driftloop.consumer.lag')).toContainEqual({
    labels: { ...group, 'messaging.destination.name': 'model.declared', 'messaging.destination.partition.id': '0' },
    value: 0,
  });
  expect(points('driftloop.outbox.documents')).toEqual([{ labels: {}, value: 0 }]);
  await until(() => points('driftloop.service.ready')[0]?.value === 1);
  expect(service.ready()).toBe(true);
});

it('writes the ids of the span into each line that is logged inside it, and sends the same line', async () => {
  const lines: string[] = [];
  const { service, client: asking, declare } = await started(watched(), lines);
  await declare('poison');
  await call(asking, 'recordOutcomes', request('crash')).catch(() => {});
  await service.close();
  const logged = lines.map((line) => JSON.parse(line) as Record<string, string>);
  const dead = logged.find(({ msg }) => msg.includes('dead-lettered'))!;
  const crash = logged.find(({ msg }) => msg === 'internal error')!;
  const ids = (name: string) => {
    const { traceId, spanId } = named(name).at(-1)!;
    return { trace_id: traceId, span_id: spanId, service: 'labeling', replica: 'embedded' };
  };
  expect(dead).toMatchObject(ids('process model.declared'));
  expect(crash).toMatchObject(ids('driftloop.v1.Labeling/RecordOutcomes'));
  const received = receiver.logs.find(({ body }) => body === dead.msg)!;
  expect(received).toMatchObject({
    severity: 'ERROR',
    traceId: dead.trace_id,
    spanId: dead.span_id,
    service: 'labeling',
  });
  expect(received.attributes).toMatchObject({ topic: 'model.declared', 'exception.type': 'TypeError' });
});

it('makes nothing without an endpoint, and still passes the context on', async () => {
  const lines: string[] = [];
  const { service, declare } = await started({}, lines);
  const telemetry = service.app.get(Telemetry);
  expect([telemetry.enabled, telemetry.logsEnabled, telemetry.metrics.enabled]).toEqual([false, false, false]);
  await declare('flights');
  await declare('poison');
  expect(world.heard[0].cause.traceparent).toBe(producer);
  expect(lines.map((line) => JSON.parse(line).trace_id)).toEqual([undefined]);
});
