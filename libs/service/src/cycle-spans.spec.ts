/** Spans of a cycle: ids that are the same every time, rows and OTLP spans that are one thing, links both ways. */
import { decision } from '@driftloop/contracts';
import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { CycleSpans, cycleTraceId, openedStep, spanTraceparent, Telemetry, traceparentOf, WallClock } from './index.js';

const cycleId = 'c'.repeat(32);
const eventTime = Date.UTC(2013, 0, 2);

function open(service = 'registry') {
  const exporter = new InMemorySpanExporter();
  const telemetry = new Telemetry(service, { spans: () => new SimpleSpanProcessor({ exporter }) });
  const spans = new CycleSpans(service, telemetry, new WallClock());
  return { telemetry, spans, sent: () => exporter.getFinishedSpans() };
}
const act = { cycleId, step: 'gate', eventTime };

it('gives a step the same ids each time, and each step, service and cycle ids of its own', () => {
  const [one, again] = [open().spans.row(act)!, open().spans.row(act)!];
  expect(one.traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(one.spanId).toMatch(/^[0-9a-f]{16}$/);
  expect([again.traceId, again.spanId, again.parentSpanId]).toEqual([one.traceId, one.spanId, one.parentSpanId]);
  const others = [
    open('serving').spans.row(act)!,
    open().spans.row({ ...act, step: 'promoted' })!,
    open().spans.row({ ...act, cycleId: 'd'.repeat(32) })!,
  ];
  expect(new Set([one, ...others].map(({ spanId }) => spanId)).size).toBe(4);
  expect(others.map(({ traceId }) => traceId === one.traceId)).toEqual([true, true, false]);
});

it('puts a step below the root, or below the step that it is part of', () => {
  const root = open('monitoring').spans.row({ ...act, step: openedStep.step })!;
  expect(root.parentSpanId).toBe('');
  const gate = open().spans.row(act)!;
  expect(gate.parentSpanId).toBe(root.spanId);
  const parent = { service: 'registry', step: 'gate' };
  expect(open('serving').spans.row({ ...act, step: 'followed', parent })!.parentSpanId).toBe(gate.spanId);
});

it('sends the row as it is: ids, parent, times, attributes, links, error', () => {
  const { spans, sent } = open();
  const said = decision({
    ...{ kind: 'gate', outcome: 'refused', subject: 'main/flights/v2', time: eventTime, reasons: ['worse'] },
    evidence: [{ test: 'paired_blocks', subject: 'carrier=AA', statistic: -2.5, threshold: -0.9 }],
  });
  const link = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  const facts = { decision: said, links: [link, undefined], attributes: { 'driftloop.version': 'v2' }, error: 'worse' };
  const row = spans.row({ ...act, ...facts, started: 1000, ended: 1250 })!;
  spans.send(row);
  const [span] = sent();
  expect(span.spanContext()).toMatchObject({ traceId: row.traceId, spanId: row.spanId, traceFlags: 1 });
  expect(span.parentSpanContext).toMatchObject({ traceId: row.traceId, spanId: row.parentSpanId });
  expect([span.startTime, span.endTime]).toEqual([
    [1, 0],
    [1, 250_000_000],
  ]);
  expect(span.attributes).toEqual({ ...row.attributes, 'driftloop.event_time': '2013-01-02T00:00:00.000Z' });
  expect(row.attributes).toMatchObject({
    ...{ 'driftloop.cycle.id': cycleId, 'driftloop.version': 'v2', 'driftloop.decision.id': said.id },
    'driftloop.evidence.paired_blocks.carrier=AA.statistic': '-2.5',
  });
  expect(span.links.map(({ context }) => context.traceId)).toEqual(['a'.repeat(32)]);
  expect(row.links).toEqual([link]);
  expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'worse' });
  expect(span.resource.attributes['service.name']).toBe('registry');
});

it('links the work that runs to the step that it does', () => {
  const { telemetry, spans, sent } = open();
  const work = telemetry.consumed('process time.passed', {}, undefined);
  const row = spans.row({ ...act, links: [traceparentOf(work)] })!;
  spans.send(row);
  telemetry.end(work);
  const [step, handler] = sent();
  expect(handler.links.map(({ context }) => context.spanId)).toEqual([row.spanId]);
  expect(step.links.map(({ context }) => context.spanId)).toEqual([work.spanContext().spanId]);
  expect(handler.spanContext().traceId).not.toBe(cycleTraceId(cycleId));
});

it('gives the spans after a step with given ids ids of their own', () => {
  const { telemetry, spans, sent } = open();
  const row = spans.row(act)!;
  spans.send(row);
  telemetry.end(telemetry.consumed('process time.passed', {}, undefined));
  expect(sent()[1].spanContext().spanId).not.toBe(row.spanId);
});

it('makes a row below the span of another service that asked, and none where nobody did', () => {
  const asking = open('training').spans.row({ ...act, step: 'dataset' })!;
  const { spans } = open('feature-store');
  const row = spans.rowBelow(spanTraceparent(asking), { step: 'training set', eventTime })!;
  expect(row).toMatchObject({ traceId: asking.traceId, parentSpanId: asking.spanId, service: 'feature-store' });
  expect(spans.rowBelow(spanTraceparent(asking), { step: 'training set', eventTime })!.spanId).toBe(row.spanId);
  expect(spans.rowBelow(undefined, { step: 'training set', eventTime })).toBeUndefined();
  expect(spans.rowBelow('nonsense', { step: 'training set', eventTime })).toBeUndefined();
});

it('makes no row without a cycle', () => {
  expect(open().spans.row({ ...act, cycleId: '' })).toBeUndefined();
});
