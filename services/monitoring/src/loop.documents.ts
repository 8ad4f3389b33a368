/**
 * What monitoring keeps of the loop: facts heard, cycles, signals that sounded, one watch a model, one mark a source.
 * Messages inside are proto3 JSON, so that they read the same in every store.
 */
import { outboxed } from '@driftloop/documents';
import { Leadership } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import mongoose, { type HydratedDocument, type Model, Schema } from 'mongoose';
import type { DriftControl } from './drift-control.js';
import { fenceField, keepFenced } from './fenced.js';
import type { SpanRow } from './spans.js';

/** One fact of the loop as heard; `_id` is the event's own id. */
export interface FactDocument {
  _id: string;
  /** tenant/model */
  series: string;
  topic: string;
  /** Event time, epoch ms. */
  time: number;
  /** Holds at any tick, whatever its time: a declaration, a first rollout. */
  timeless: boolean;
  /** Whether a tick has acted on it. */
  settled: boolean;
  /** The payload, proto3 JSON. Text: some hold large histograms that no query looks into. */
  payload: string;
}

export type CycleStage = 'training' | 'gate' | 'shadow' | 'canary' | 'closed';
export type CycleOutcome = 'promoted' | 'refused' | 'rolled_back' | 'superseded' | 'failed' | 'expired';

/** One thing that happened in a cycle. */
export interface CycleStepRow {
  id: string;
  time: number;
  service: string;
  what: string;
  /** A Decision. */
  decision?: unknown;
}

/** One signal, one cycle, one outcome. `_id` is the cycle's id; times are epoch ms. */
export interface CycleDocument {
  _id: string;
  tenant: string;
  series: string;
  model: string;
  number: number;
  purpose: 'bootstrap' | 'retrain';
  signal: string;
  /** 1 for the first against this champion. */
  attempt: number;
  champion: string;
  specRevision: number;
  stage: CycleStage;
  outcome: CycleOutcome | '';
  reasons: string[];
  version: string;
  opened: number;
  cutoff: number;
  /** What was held in quarantine at the opening: QuarantineWindow messages as proto3 JSON. Absent in documents of old. */
  quarantined?: unknown[];
  due: number;
  closed: number | null;
  deadline: number;
  rolloutId: string;
  /** Since when the present stage of the rollout answers. */
  stageSince: number | null;
  /** Stages on which the judge has spoken. */
  judged: string[];
  steps: CycleStepRow[];
  /** Its trace: CycleSpan messages as proto3 JSON (spans.ts). */
  spans: SpanRow[];
  pending?: unknown[];
}

/** A decision of monitoring's outside of a cycle (a signal that sounded, a silence, the breaker); `_id` is the decision's id. */
export interface SignalDocument {
  _id: string;
  series: string;
  time: number;
  decision: unknown;
  pending?: unknown[];
}

/** How far the watch over a model has come. */
export interface WatchDocument {
  /** tenant/model */
  _id: string;
  /** The last tick that changed something. */
  now: number;
  /** The newest closed day (its start) whose signals have been raised. */
  signalled: number | null;
  checked: number | null;
  /** Alerts that sound at present. */
  alerts: string[];
  /** The latest value of every signal: Evidence. */
  latest: unknown[];
  /** Who was champion then; absent in documents of old. */
  latestOf?: string;
  /** Where the trial in shadow stands: Evidence. */
  trial: unknown[];
  /** Where the control of false discoveries stands; absent before the first check. */
  drift?: DriftControl | null;
}

/** How far a source, or the labels, have come; `_id` is tenant/model/source, or tenant/model//labels. */
export interface SourceDocument {
  _id: string;
  series: string;
  watermark: number;
  /** The tick at which it was found silent; null while it speaks. */
  silentSince?: number | null;
}

/** The last tick that was handled to its end. */
export interface ClockDocument {
  _id: 'clock';
  now: number;
  previous: number | null;
}

const { Mixed } = Schema.Types;
const plain = { versionKey: false, minimize: false } as const;

const factSchema = new Schema<FactDocument>(
  {
    _id: String,
    series: String,
    topic: String,
    time: Number,
    timeless: Boolean,
    settled: Boolean,
    payload: String,
  },
  plain,
)
  .index({ settled: 1 })
  .index({ series: 1, time: 1 });

const cycleSchema = new Schema<CycleDocument>(
  {
    _id: String,
    tenant: String,
    series: String,
    model: String,
    number: Number,
    purpose: String,
    signal: String,
    attempt: Number,
    champion: String,
    specRevision: Number,
    stage: String,
    outcome: String,
    reasons: [String],
    version: String,
    opened: Number,
    cutoff: Number,
    quarantined: [Mixed],
    due: Number,
    closed: Number,
    deadline: Number,
    rolloutId: String,
    stageSince: Number,
    judged: [String],
    steps: [Mixed],
    spans: [Mixed],
  },
  { minimize: false, optimisticConcurrency: true },
)
  .index({ series: 1, number: 1 }, { unique: true })
  .plugin(outboxed);

const signalSchema = new Schema<SignalDocument>({ _id: String, series: String, time: Number, decision: Mixed }, plain)
  .index({ series: 1, time: 1 })
  .plugin(outboxed);

const watchSchema = new Schema<WatchDocument>(
  {
    _id: String,
    ...fenceField,
    now: Number,
    signalled: Number,
    checked: Number,
    alerts: [String],
    latest: [Mixed],
    latestOf: String,
    trial: [Mixed],
    drift: Mixed,
  },
  plain,
);

const sourceSchema = new Schema<SourceDocument>(
  { _id: String, series: String, watermark: Number, silentSince: Number },
  plain,
).index({ series: 1 });

const clockSchema = new Schema<ClockDocument>({ _id: String, now: Number, previous: Number, ...fenceField }, plain);

@Injectable()
export class LoopDocuments {
  readonly facts: Model<FactDocument>;
  readonly cycles: Model<CycleDocument>;
  readonly signals: Model<SignalDocument>;
  readonly watches: Model<WatchDocument>;
  readonly sources: Model<SourceDocument>;
  readonly clocks: Model<ClockDocument>;

  constructor(
    connection: mongoose.Connection,
    private readonly leadership: Leadership,
  ) {
    this.facts = connection.model<FactDocument>('Fact', factSchema, 'facts');
    this.cycles = connection.model<CycleDocument>('Cycle', cycleSchema, 'cycles');
    this.signals = connection.model<SignalDocument>('Signal', signalSchema, 'signals');
    this.watches = connection.model<WatchDocument>('Watch', watchSchema, 'watches');
    this.sources = connection.model<SourceDocument>('Source', sourceSchema, 'sources');
    this.clocks = connection.model<ClockDocument>('Clock', clockSchema, 'clocks');
  }

  /** Facts that no tick has acted on yet. */
  unsettledFacts(): Promise<FactDocument[]> {
    return this.facts.find({ settled: false }).lean<FactDocument[]>().exec();
  }

  settledFacts(): Promise<FactDocument[]> {
    return this.facts.find({ settled: true }).lean<FactDocument[]>().exec();
  }

  factsOf(series: string): Promise<FactDocument[]> {
    return this.facts.find({ series }).sort({ time: 1 }).lean<FactDocument[]>().exec();
  }

  cyclesOf(series: string): Promise<CycleDocument[]> {
    return this.cycles.find({ series }).sort({ number: 1 }).lean<CycleDocument[]>().exec();
  }

  /** A cycle to be changed and saved through the outbox. */
  cycle(id: string): Promise<HydratedDocument<CycleDocument> | null> {
    return this.cycles.findById(id).exec();
  }

  /** At most two cycles of a tenant whose id begins so. */
  cyclesLike(tenant: string, beginning: string): Promise<CycleDocument[]> {
    const range = { _id: { $gte: beginning, $lt: `${beginning}g` }, tenant };
    return this.cycles.find(range).limit(2).lean<CycleDocument[]>().exec();
  }

  signalsOf(series: string): Promise<SignalDocument[]> {
    return this.signals.find({ series }).sort({ time: 1 }).lean<SignalDocument[]>().exec();
  }

  sourcesOf(series: string): Promise<SourceDocument[]> {
    return this.sources.find({ series }).lean<SourceDocument[]>().exec();
  }

  clock(): Promise<ClockDocument | null> {
    return this.clocks.findById('clock').lean<ClockDocument>().exec();
  }

  async keepClock(now: number, previous: number | null): Promise<void> {
    await keepFenced(this.clocks, { _id: 'clock', now, previous }, this.leadership);
  }

  watch(series: string): Promise<WatchDocument | null> {
    return this.watches.findById(series).lean<WatchDocument>().exec();
  }

  async keepWatch(watch: WatchDocument): Promise<void> {
    await keepFenced(this.watches, watch, this.leadership);
  }
}
