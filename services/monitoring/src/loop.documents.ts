/**
 * What monitoring keeps of the loop: facts heard, cycles, signals that sounded, one watch a model, one mark a source.
 * Messages inside are proto3 JSON, so that they read the same in every store.
 */
import { outboxed } from '@driftloop/documents';
import { Leadership } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import mongoose, { type HydratedDocument, type Model, Schema } from 'mongoose';
import { fenceField, keepFenced } from './fenced.js';
import type {
  ClockDocument,
  CycleDocument,
  FactDocument,
  SignalDocument,
  SourceDocument,
  WatchDocument,
} from './loop-rows.js';

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
