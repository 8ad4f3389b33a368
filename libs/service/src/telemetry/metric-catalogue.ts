/**
 * Every metric that the house makes: name, unit, labels, meaning. The one place; docs/metrics.md is compared with it.
 *
 * I1  A metric has the labels that stand here and no others: a view drops what is not listed.
 * I2  Labels have few values: services, methods, topics, groups, models, versions that are served, codes of errors. No ids.
 */
import { durationBuckets } from './conventions.js';

export interface MetricDefinition {
  readonly kind: 'counter' | 'histogram' | 'gauge' | 'total';
  /** UCUM, as OpenTelemetry writes it. */
  readonly unit: string;
  readonly labels: readonly string[];
  readonly meaning: string;
  /** Of a histogram. */
  readonly buckets?: readonly number[];
}

const day = 86_400;
const hours = [0.25, 1, 2, 4, 8, 12, 24, 36, 48, 72, 168, 336].map((hour) => hour * 3600);
const days = [0.25, 0.5, 1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 56, 90].map((count) => count * day);
const fine = [0.0005, 0.001, 0.0025, ...durationBuckets];
const long = [1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200];

const sent = ['messaging.system.name', 'messaging.operation.name', 'messaging.destination.name', 'error.type'];
const heard = [...sent, 'messaging.consumer.group.name'];
const asked = ['rpc.system.name', 'rpc.method', 'rpc.status_code', 'error.type'];

/** `counter` and `histogram` are recorded as it happens; `gauge` and `total` (a counter kept elsewhere) are read when asked. */
export const metricCatalogue = {
  'rpc.server.call.duration': {
    ...{ kind: 'histogram', unit: 's', labels: asked, buckets: durationBuckets },
    meaning: 'How long a call to this service took.',
  },
  'rpc.client.call.duration': {
    ...{ kind: 'histogram', unit: 's', labels: [...asked, 'server.address'], buckets: durationBuckets },
    meaning: 'How long a question to another service took.',
  },
  'messaging.process.duration': {
    ...{ kind: 'histogram', unit: 's', labels: heard, buckets: durationBuckets },
    meaning: 'How long a handler took for one event.',
  },
  'messaging.client.consumed.messages': {
    ...{ kind: 'counter', unit: '{message}', labels: heard },
    meaning: 'Events handed to a group, those tried again included.',
  },
  'messaging.client.sent.messages': {
    ...{ kind: 'counter', unit: '{message}', labels: sent },
    meaning: 'Events that this service published, or tried to.',
  },
  'messaging.client.operation.duration': {
    ...{ kind: 'histogram', unit: 's', labels: sent, buckets: durationBuckets },
    meaning: 'How long the bus took to make a batch of events durable.',
  },
  'driftloop.event.unknown_fields': {
    kind: 'total',
    unit: '{message}',
    labels: ['messaging.destination.name'],
    meaning:
      'Events of outsiders with fields that their message does not have: nobody reads those; the log names them.',
  },
  'driftloop.consumer.lag': {
    kind: 'gauge',
    unit: '{message}',
    labels: ['messaging.consumer.group.name', 'messaging.destination.name', 'messaging.destination.partition.id'],
    meaning: 'Events published and not yet committed by the group.',
  },
  'driftloop.consumer.paused': {
    ...{ kind: 'gauge', unit: '{partition}', labels: ['messaging.consumer.group.name', 'messaging.destination.name'] },
    meaning: 'Partitions that are paused because a dependency is away.',
  },
  'driftloop.consumer.dead_letters': {
    ...{ kind: 'gauge', unit: '{message}', labels: ['messaging.consumer.group.name'] },
    meaning: 'Events that the group could not take and nobody has given back or discarded yet, counted up to 1,000.',
  },
  'driftloop.outbox.documents': {
    ...{ kind: 'gauge', unit: '{document}', labels: [] },
    meaning: 'Documents with unsent events that this process knows of.',
  },
  'driftloop.outbox.age': {
    ...{ kind: 'gauge', unit: 's', labels: [] },
    meaning: 'How long the oldest of them has waited, in wall time since this process knows of it; 0 where none waits.',
  },
  'driftloop.queue.depth': {
    ...{ kind: 'gauge', unit: '{item}', labels: ['driftloop.queue'] },
    meaning: 'What waits in a bounded queue; the fullest where a queue is kept for each model or label.',
  },
  'driftloop.queue.capacity': {
    ...{ kind: 'gauge', unit: '{item}', labels: ['driftloop.queue'] },
    meaning: 'How much the queue takes.',
  },
  'driftloop.queue.dropped': {
    ...{ kind: 'total', unit: '{item}', labels: ['driftloop.queue'] },
    meaning: 'What was dropped because the queue was full.',
  },
  'driftloop.queue.refused': {
    ...{ kind: 'total', unit: '{item}', labels: ['driftloop.queue'] },
    meaning: 'What was refused with a retriable error because the queue was full: the caller knows.',
  },
  'driftloop.requests.shed': {
    ...{ kind: 'total', unit: '{request}', labels: ['rpc.method', 'error.type'] },
    meaning:
      'Requests and streams that a door did not let in, or ended: too many, too large, malformed, late or unread.',
  },
  'driftloop.prediction.duration': {
    kind: 'histogram',
    unit: 's',
    labels: ['driftloop.model', 'driftloop.version', 'driftloop.arm', 'error.type'],
    buckets: fine,
    meaning: 'How long an inference request took, features included; with error.type where it was not answered.',
  },
  'driftloop.cycle.duration': {
    ...{ kind: 'histogram', unit: 's', labels: ['driftloop.model', 'driftloop.outcome'], buckets: days },
    meaning: 'Event time from the opening of a cycle to its end; its count is the number of cycles by outcome.',
  },
  'driftloop.cycle.open': {
    ...{ kind: 'gauge', unit: '{cycle}', labels: ['driftloop.model', 'driftloop.stage'] },
    meaning: 'Cycles that are open, by stage; 0 or 1 a model.',
  },
  'driftloop.loop.held': {
    ...{ kind: 'gauge', unit: '{loop}', labels: ['driftloop.model', 'driftloop.by'] },
    meaning: '1 while no cycle opens because a person paused the loop (`person`) or the breaker is open (`breaker`).',
  },
  'driftloop.alarm.sounding': {
    ...{ kind: 'gauge', unit: '{alarm}', labels: ['driftloop.model', 'driftloop.test'] },
    meaning: "Alarms of the champion's that sound, by what was tested.",
  },
  'driftloop.source.silent': {
    ...{ kind: 'gauge', unit: '{source}', labels: ['driftloop.model'] },
    meaning: 'Sources (labels included) that have been silent for longer than the model allows.',
  },
  'driftloop.prediction.repeated_ids': {
    ...{ kind: 'total', unit: '{prediction}', labels: ['driftloop.model'] },
    meaning: 'Predictions under an id that another question has: each counts, nothing else tells them apart.',
  },
  'driftloop.quarantine.windows': {
    ...{ kind: 'gauge', unit: '{window}', labels: ['driftloop.model'] },
    meaning: 'Stretches of labels that are set aside until a person has looked.',
  },
  'driftloop.champion': {
    ...{ kind: 'gauge', unit: '{version}', labels: ['driftloop.model', 'driftloop.version'] },
    meaning: '1 for the version that is champion.',
  },
  'driftloop.model.set_aside': {
    ...{ kind: 'gauge', unit: '{model}', labels: ['driftloop.model', 'driftloop.work'] },
    meaning: '1 while a model is set aside from some work because of a fault of its own; the others go on.',
  },
  'driftloop.rollout.unserved': {
    ...{ kind: 'gauge', unit: '{version}', labels: ['driftloop.model', 'driftloop.version'] },
    meaning:
      '1 for the version that this replica cannot load, and in whose place another answers; 0 where there is none.',
  },
  'driftloop.label.delay': {
    ...{ kind: 'histogram', unit: 's', labels: ['driftloop.label'], buckets: hours },
    meaning: "From the entity's own time to the time at which its outcome was known, both event times.",
  },
  'driftloop.training.duration': {
    ...{ kind: 'histogram', unit: 's', labels: ['driftloop.model', 'driftloop.purpose', 'error.type'], buckets: long },
    meaning: 'Wall time of a training, from its claim to its end on this worker.',
  },
  'driftloop.training.jobs': {
    ...{ kind: 'gauge', unit: '{job}', labels: ['driftloop.state'] },
    meaning: 'Training jobs that are queued or running.',
  },
  'driftloop.service.ready': {
    ...{ kind: 'gauge', unit: '{service}', labels: [] },
    meaning: '1 while the service is ready, 0 while it is not.',
  },
  'driftloop.disk.free': {
    ...{ kind: 'gauge', unit: 'By', labels: ['driftloop.disk'] },
    meaning: 'What is free on the disk of the home and on that of temporary files.',
  },
  'driftloop.disk.full': {
    ...{ kind: 'gauge', unit: '{disk}', labels: ['driftloop.disk'] },
    meaning: '1 while so little is free there that the service is not ready.',
  },
  'nodejs.eventloop.delay.p99': {
    ...{ kind: 'gauge', unit: 's', labels: [] },
    meaning: "99th percentile of the event loop's delay since the last time it was read.",
  },
  'nodejs.eventloop.utilization': {
    ...{ kind: 'gauge', unit: '1', labels: [] },
    meaning: 'Share of the time since the last reading in which the event loop was busy.',
  },
  'process.memory.usage': { kind: 'gauge', unit: 'By', labels: [], meaning: 'Resident memory of the process.' },
  'v8js.memory.heap.used': { kind: 'gauge', unit: 'By', labels: [], meaning: 'JavaScript heap in use.' },
  'process.cpu.time': {
    ...{ kind: 'total', unit: 's', labels: ['cpu.mode'] },
    meaning: 'Processor time that the process has used.',
  },
  'process.uptime': { kind: 'gauge', unit: 's', labels: [], meaning: 'How long the process has run.' },
} as const satisfies Record<string, MetricDefinition>;

type Catalogue = typeof metricCatalogue;
export type MetricName = keyof Catalogue;
/** The metrics of a kind. */
export type MetricOf<K extends MetricDefinition['kind']> = {
  [N in MetricName]: Catalogue[N]['kind'] extends K ? N : never;
}[MetricName];
