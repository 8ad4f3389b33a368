/**
 * One trace a cycle, in the whole house on a small world: what the collector receives, and what the cycle's rows say.
 */
import { Operations } from '@driftloop/client';
import { type Cycle, type CycleExplanation, type CycleSpan, services } from '@driftloop/contracts';
import { type ReceivedSpan } from '@driftloop/testing/otlp-wire';
import { openReceiver, type Receiver } from '@driftloop/testing/receiver';
import { DAY, parcelsWorld, START } from '../worlds/parcels.js';
import { openPlayed } from './played.js';

const world = parcelsWorld({ driftAt: 12 });
const until = START + 34 * DAY;
/** INTERNAL: the steps themselves; calls and handled events are of other kinds. */
const step = 1;

let receiver: Receiver;
let cycles: Cycle[];
let again: Cycle[];
let explained: CycleExplanation[];
let promoted: Cycle;
/** What the collector has of the promoted cycle's trace. */
let trace: ReceivedSpan[];

async function play(environment: Record<string, string>): Promise<Cycle[]> {
  const played = await openPlayed(undefined, environment);
  try {
    await played.play(world, until);
    const found = await played.control.cycles(world.model);
    const operations = new Operations(played.control);
    explained = await Promise.all(found.map(({ cycleId }) => operations.explain(cycleId)));
    return found;
  } finally {
    await played.close();
  }
}

beforeAll(async () => {
  receiver = await openReceiver();
  cycles = await play({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
  const first = explained;
  again = await play({});
  expect(explained).toEqual(first);
  promoted = cycles.findLast((cycle) => cycle.outcome === 'promoted' && cycle.signal !== 'bootstrap')!;
  trace = receiver.spans.filter((span) => span.traceId === promoted.traceId);
}, 300_000);

afterAll(() => receiver?.close());

const names = (spans: readonly { name: string; service: string }[]) =>
  spans.map(({ service, name }) => `${service}: ${name}`);
const idOf = ({ traceId, spanId }: { traceId: string; spanId: string }) => `${traceId}/${spanId}`;

it('has a span a step, from every service that took part', () => {
  expect(receiver.refused).toEqual([]);
  const steps = trace.filter((span) => span.kind === step);
  expect(new Set(steps.map(({ service }) => service))).toEqual(
    new Set(['monitoring', 'training', 'feature-store', 'registry', 'serving']),
  );
  expect(names(steps).sort()).toEqual(
    [
      ...['cycle opened', 'shadow judged', 'canary checked', 'cycle closed'].map((name) => `monitoring: ${name}`),
      ...['training', 'dataset', 'search', 'train', 'export'].map((name) => `training: ${name}`),
      'feature-store: training set',
      ...['gate', 'stage shadow', 'stage canary', 'promoted'].map((name) => `registry: ${name}`),
      ...Array(3).fill('serving: rollout followed'),
    ].sort(),
  );
});

it('is one tree, whose root is the opening', () => {
  const ids = new Set(trace.map(({ spanId }) => spanId));
  const roots = trace.filter(({ parentSpanId }) => !parentSpanId);
  expect(names(roots)).toEqual(['monitoring: cycle opened']);
  expect(trace.filter(({ parentSpanId }) => parentSpanId && !ids.has(parentSpanId))).toEqual([]);
  const parentOf = (name: string) => {
    const { parentSpanId } = trace.find((span) => span.name === name)!;
    return trace.find((span) => span.spanId === parentSpanId)?.name;
  };
  expect(['dataset', 'search', 'train', 'export'].map(parentOf)).toEqual(Array(4).fill('training'));
  expect(['training', 'gate', 'stage shadow', 'stage canary', 'promoted', 'cycle closed'].map(parentOf)).toEqual(
    Array(6).fill('cycle opened'),
  );
  expect(parentOf('training set')).toBe('dataset');
  // The feature store's call itself, with an id of its own, is there beside what it did.
  expect(parentOf('driftloop.v1.FeatureStore/BuildTrainingSet')).toBe('dataset');
  const followed = trace.filter(({ name }) => name === 'rollout followed');
  const stages = followed.map(({ parentSpanId }) => trace.find(({ spanId }) => spanId === parentSpanId)!.name);
  expect(stages.sort()).toEqual(['promoted', 'stage canary', 'stage shadow']);
});

it('gives every span an id of its own, in all traces', () => {
  const ids = receiver.spans.map(idOf);
  expect(new Set(ids).size).toBe(ids.length);
  expect(receiver.spans.length).toBeGreaterThan(1000);
});

it('names the service right with all of them in one process', () => {
  expect([...new Set(receiver.spans.map(({ service }) => service))].sort()).toEqual([...services, 'gateway'].sort());
  const handled = receiver.spans.filter(({ attributes }) => attributes['messaging.consumer.group.name']);
  for (const { service, attributes } of handled)
    expect(String(attributes['messaging.consumer.group.name']).split('.')[0]).toBe(service);
});

it('links each step to the work that did it, and that work to the step', () => {
  const known = new Map(receiver.spans.map((span) => [idOf(span), span]));
  const steps = trace.filter((span) => span.kind === step);
  for (const span of steps)
    for (const link of span.links) {
      const work = known.get(idOf(link));
      expect([span.name, work?.service]).toEqual([span.name, expect.any(String)]);
      if (span.name !== 'training') expect(work!.links.map(idOf)).toContain(idOf(span));
      if (span.name !== 'training set') expect(work!.traceId).not.toBe(span.traceId);
    }
  const parts = ['dataset', 'search', 'train', 'export'];
  expect(steps.filter(({ links, name }) => !links.length && !parts.includes(name))).toEqual([]);
});

it('says what was decided, on what, in attributes', () => {
  const of = (name: string) => trace.find((span) => span.name === name)!.attributes;
  const opening = promoted.steps[0].decision!;
  expect(of('cycle opened')).toMatchObject({
    ...{ 'driftloop.cycle.id': promoted.cycleId, 'driftloop.model': 'parcels', 'driftloop.signal': promoted.signal },
    ...{ 'driftloop.decision.id': opening.id, 'driftloop.event_time': promoted.opened!.toISOString() },
  });
  const [first] = opening.evidence;
  expect(of('cycle opened')[`driftloop.evidence.${first.test}.${first.subject}.statistic`]).toBe(
    String(first.statistic),
  );
  expect(of('gate')).toMatchObject({ 'driftloop.version': promoted.version, 'driftloop.decision.outcome': 'approved' });
  expect(of('stage canary')).toMatchObject({ 'driftloop.stage': 'canary', 'driftloop.canary.percent': '20' });
  expect(Number(of('dataset')['driftloop.dataset.rows'])).toBeGreaterThan(100);
  expect(of('cycle closed')).toMatchObject({ 'driftloop.outcome': 'promoted' });
});

it('is the same as the rows of the cycle, span by span', () => {
  const steps = trace.filter((span) => span.kind === step);
  const rows = new Map(promoted.spans.map((row) => [row.spanId, row]));
  expect(promoted.spans[0]).toMatchObject({ name: 'cycle opened', parentSpanId: '' });
  expect(steps.map(({ spanId }) => spanId).sort()).toEqual([...rows.keys()].sort());
  for (const { spanId, parentSpanId, name, service, start, end, attributes } of steps) {
    const row = rows.get(spanId)!;
    expect({ parentSpanId, name, service }).toEqual({
      ...{ parentSpanId: row.parentSpanId, name: row.name, service: row.service },
    });
    const { 'driftloop.event_time': eventTime, ...facts } = attributes;
    expect([facts, eventTime]).toEqual([row.attributes, row.eventTime!.toISOString()]);
    expect([start, end].map((ns) => Number(ns / 1_000_000n))).toEqual([row.started!.getTime(), row.ended!.getTime()]);
  }
});

it('has the same ids, parents, times of events and attributes in another run', () => {
  const timeless = (spans: readonly CycleSpan[]) =>
    spans.map(({ started: _, ended: __, links: ___, ...span }) => span).sort((a, b) => (a.spanId < b.spanId ? -1 : 1));
  expect(again.map(({ cycleId, traceId }) => [cycleId, traceId])).toEqual(
    cycles.map(({ cycleId, traceId }) => [cycleId, traceId]),
  );
  for (const [i, { spans }] of cycles.entries()) expect(timeless(again[i].spans)).toEqual(timeless(spans));
  expect(new Set(cycles.map(({ traceId }) => traceId)).size).toBe(cycles.length);
});

it('is told in words with the figures of its evidence', () => {
  const told = explained[cycles.indexOf(promoted)];
  const text = told.passages.flatMap(({ sentences }) => sentences).join('\n');
  expect(told.passages.map(({ title }) => title)).toEqual([
    ...['Why it opened', 'The training', 'The gate', 'In shadow', 'As canary', 'What came of it'],
  ]);
  const judged = promoted.steps.find(({ decision }) => decision?.kind === 'judgement')!.decision!;
  expect(text).toContain(judged.reasons[0]);
  expect(text.match(/^2024-01-\d\d: \d+ rows, v2 (better|worse) by/gm)).toHaveLength(judged.evidence[0].days);
  const rows = promoted.spans.find(({ name }) => name === 'dataset')!.attributes['driftloop.dataset.rows'];
  expect(text).toContain(`learned from all ${rows} rows`);
  expect(text).toContain(`${promoted.version} became champion in place of ${promoted.champion}.`);
});
