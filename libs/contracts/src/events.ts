/**
 * The one event map: every fact that crosses a wall, with its payload, its key, who speaks and who hears.
 *
 * `emit` and `@When` type-check against it; a test fails when an event lacks a speaker or a declared listener. The
 * README's picture is generated from it.
 */
import { messageOf } from './descriptors.js';
import * as E from './gen/driftloop/v1/events.js';
import { readReport } from './payload-check.js';
import { unknownFields } from './unknown-fields.js';

/** The services, as they appear as speakers and listeners. */
export const services = ['labeling', 'feature-store', 'training', 'registry', 'serving', 'monitoring'] as const;
export type ServiceName = (typeof services)[number];
export type Speaker = ServiceName | 'clock' | 'external';
export type Listener = ServiceName | 'external';

/** The generated proto3 JSON codec of a payload. */
export interface PayloadCodec<T> {
  fromJSON(object: unknown): T;
  toJSON(message: T): unknown;
  fromPartial(object: Partial<T>): T;
}

/** One event of the map. `keep` is the retention: days, or `compact` (the last one of each key). */
export interface EventDefinition<T = unknown> {
  readonly topic: string;
  readonly payload: PayloadCodec<T>;
  /** The ordering key of a payload: events of one key are heard in order. */
  readonly key: (payload: T) => string;
  readonly from: Speaker;
  readonly to: readonly Listener[];
  readonly partitions: number;
  readonly keep: `${number}d` | 'compact';
  /** Of what outsiders write: fields that the message does not have, which nobody reads. */
  readonly unknownFields?: (data: unknown) => string[];
}

/** Any event of the map, where the payload's type does not matter. */
// biome-ignore lint/suspicious/noExplicitAny: payloads appear both as argument and as result
export type AnyEvent = EventDefinition<any>;
export type PayloadOf<D> = D extends EventDefinition<infer T> ? T : never;

interface Placement<T> {
  key: (payload: T) => string;
  from: Speaker;
  to: readonly Listener[];
  keep: `${number}d` | 'compact';
  partitions?: number;
}

function event<T>(topic: string, payload: PayloadCodec<T>, placement: Placement<T>): EventDefinition<T> {
  return { topic, payload, partitions: 1, ...placement };
}

/** What outsiders write in a message and the rows within it. */
interface ReportShape {
  readonly message: string;
  readonly rows: string;
}

/** What outsiders write is read strictly: a fault becomes a dead letter that names it, not a row that is silently empty. */
function inbound<T>(
  topic: string,
  payload: PayloadCodec<T>,
  shape: ReportShape,
  placement: Omit<Placement<T>, 'from'>,
) {
  const read = (object: unknown) => payload.fromJSON(object);
  const strict = { ...payload, fromJSON: (object: unknown) => readReport(shape.message, shape.rows, object, read) };
  const unknown = (data: unknown) => unknownFields(messageOf(shape.message), data);
  return { ...event(topic, strict, { ...placement, from: 'external' }), unknownFields: unknown };
}

const byModel = (p: { tenant: string; model: string }) => `${p.tenant}/${p.model}`;

/** Buckets that label batches are split into, so that one entity's labels stay in order. */
export const labelBuckets = 2;

/** The bucket of an entity (FNV-1a), for keys of batches. */
export function entityBucket(entityId: string, buckets: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < entityId.length; i++) hash = Math.imul(hash ^ entityId.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % buckets;
}

/** A batch of labels holds entities of one bucket only; a bare watermark goes to every bucket. */
const byEntityBucket = (p: E.LabelsAdded) => `${p.tenant}/${p.label}/${p.bucket}`;

export const events = {
  // 1 what outsiders tell, and labeling
  outcomesReported: inbound(
    'outcomes.reported',
    E.OutcomesReported,
    { message: 'driftloop.v1.OutcomesReported', rows: 'outcomes' },
    {
      key: ({ label }) => label,
      to: ['labeling'],
      keep: '30d',
    },
  ),
  entitiesObserved: inbound(
    'entities.observed',
    E.EntitiesObserved,
    { message: 'driftloop.v1.EntitiesObserved', rows: 'rows' },
    {
      key: ({ model, source }) => `${model}/${source}`,
      to: ['feature-store'],
      keep: '30d',
    },
  ),
  labelsAdded: event('labels.added', E.LabelsAdded, {
    key: byEntityBucket,
    from: 'labeling',
    to: ['feature-store', 'monitoring'],
    keep: '30d',
    partitions: labelBuckets,
  }),
  // 2 serving
  predictionsMade: event('predictions.made', E.PredictionsMade, {
    key: byModel,
    from: 'serving',
    to: ['monitoring', 'external'],
    keep: '7d',
  }),
  // 3 monitoring
  driftDetected: event('drift.detected', E.DriftDetected, {
    key: byModel,
    from: 'monitoring',
    to: ['external'],
    keep: '90d',
  }),
  performanceDegraded: event('performance.degraded', E.PerformanceDegraded, {
    key: byModel,
    from: 'monitoring',
    to: ['external'],
    keep: '90d',
  }),
  retrainingRequested: event('retraining.requested', E.RetrainingRequested, {
    key: byModel,
    from: 'monitoring',
    to: ['training', 'external'],
    keep: '90d',
  }),
  // 4 training
  modelTrained: event('model.trained', E.ModelTrained, {
    key: byModel,
    from: 'training',
    to: ['registry', 'monitoring', 'external'],
    keep: '90d',
  }),
  trainingFailed: event('training.failed', E.TrainingFailed, {
    key: byModel,
    from: 'training',
    to: ['monitoring', 'external'],
    keep: '90d',
  }),
  // 5 registry's gate
  modelApproved: event('model.approved', E.ModelApproved, {
    key: byModel,
    from: 'registry',
    to: ['monitoring', 'external'],
    keep: '90d',
  }),
  modelRefused: event('model.refused', E.ModelRefused, {
    key: byModel,
    from: 'registry',
    to: ['monitoring', 'external'],
    keep: '90d',
  }),
  // 6 the rollout
  rolloutChanged: event('rollout.changed', E.RolloutChanged, {
    key: byModel,
    from: 'registry',
    to: ['serving', 'monitoring', 'external'],
    keep: 'compact',
  }),
  rolloutFailed: event('rollout.failed', E.RolloutFailed, {
    key: byModel,
    from: 'serving',
    to: ['monitoring', 'external'],
    keep: '90d',
  }),
  // 7 the judge
  rolloutJudged: event('rollout.judged', E.RolloutJudged, {
    key: byModel,
    from: 'monitoring',
    to: ['registry', 'external'],
    keep: '90d',
  }),
  // 8 the alias
  modelPromoted: event('model.promoted', E.ModelPromoted, {
    key: byModel,
    from: 'registry',
    to: ['monitoring', 'external'],
    keep: 'compact',
  }),
  modelRolledBack: event('model.rolled-back', E.ModelRolledBack, {
    key: byModel,
    from: 'registry',
    to: ['monitoring', 'external'],
    keep: '90d',
  }),
  // beside the walk
  modelDeclared: event('model.declared', E.ModelDeclared, {
    key: byModel,
    from: 'registry',
    to: ['labeling', 'feature-store', 'training', 'serving', 'monitoring'],
    keep: 'compact',
  }),
  featuresIngested: event('features.ingested', E.FeaturesIngested, {
    key: byModel,
    from: 'feature-store',
    to: ['monitoring', 'external'],
    keep: '30d',
  }),
  cycleClosed: event('cycle.closed', E.CycleClosed, {
    key: byModel,
    from: 'monitoring',
    to: ['external'],
    keep: '90d',
  }),
  rolloutFollowed: event('rollout.followed', E.RolloutFollowed, {
    key: byModel,
    from: 'serving',
    to: ['monitoring', 'external'],
    keep: '30d',
  }),
  quarantineChanged: event('quarantine.changed', E.QuarantineChanged, {
    key: byModel,
    from: 'monitoring',
    to: ['external'],
    keep: '90d',
  }),
  loopHeld: event('loop.held', E.LoopHeld, {
    key: byModel,
    from: 'monitoring',
    to: ['external'],
    keep: '90d',
  }),
  silenceChanged: event('silence.changed', E.SilenceChanged, {
    key: byModel,
    from: 'monitoring',
    to: ['external'],
    keep: '90d',
  }),
  timePassed: event('time.passed', E.TimePassed, {
    key: () => 'clock',
    from: 'clock',
    to: ['training', 'registry', 'monitoring'],
    keep: '7d',
  }),
} as const;

export type Events = typeof events;

/** The event of a topic. */
export function eventOfTopic(topic: string): AnyEvent | undefined {
  return Object.values(events).find((definition) => definition.topic === topic);
}
