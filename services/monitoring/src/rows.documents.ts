/**
 * The rows that wait for their cohort to close: one a prediction, one a label with all its revisions. Written in bulk,
 * read by entity time, deleted when the cohort is censored.
 *
 * I1  A row's `_id` is its natural key, so that a batch heard twice changes nothing.
 *     A row under an id that another question has is no such row: it is kept beside that one, and counted.
 * I2  A label keeps every revision with its known-at, so that "the truth as it was known then" does not depend on the
 *     order of arrival.
 */
import { Injectable } from '@nestjs/common';
import mongoose, { type Model, Schema } from 'mongoose';
import { insertNew } from './insert-new.js';

/** What another version would have said. */
export interface ShadowCell {
  version: string;
  /** Null where it failed or answered no number. */
  probability: number | null;
}

/** One prediction. Times are epoch ms. */
export interface PredictionRow {
  /** tenant/model/prediction id */
  _id: string;
  /** tenant/model */
  series: string;
  entityId: string;
  entityTime: number;
  eventTime: number;
  version: string;
  probability: number | null;
  canary: boolean;
  shadows: ShadowCell[];
  /** Names of the feature columns: `_id` of a LayoutDocument. */
  layout: string;
  /** Float64 cells, base64: 50 columns as one string cost a tenth of 50 numbers. */
  numbers: string;
  texts: string[];
  imputed: number;
  latencyMs: number;
  error: string;
  /** Names what was asked; empty or absent in rows of old. */
  question?: string;
}

/** Predictions of a model that came under an id that another question has. */
export interface RepeatedIds {
  /** tenant/model */
  _id: string;
  count: number;
  /** The last of them, and its event time. */
  id: string;
  time: number;
}

/** The order of a prediction row's feature columns. */
export interface LayoutDocument {
  _id: string;
  numbers: string[];
  texts: string[];
}

/** A label's value as known from an instant on. */
export interface LabelRevision {
  knownAt: number;
  value: number;
  revision: number;
  /** Who said so; absent in rows of old. */
  source?: string;
}

/** One label. */
export interface LabelRow {
  /** tenant/label/entity@time */
  _id: string;
  /** tenant/label */
  series: string;
  entityId: string;
  entityTime: number;
  revisions: LabelRevision[];
}

const { Mixed } = Schema.Types;
const plain = { versionKey: false, minimize: false } as const;

const predictionSchema = new Schema<PredictionRow>(
  {
    _id: String,
    series: String,
    entityId: String,
    entityTime: Number,
    eventTime: Number,
    version: String,
    probability: Number,
    canary: Boolean,
    shadows: [Mixed],
    layout: String,
    numbers: String,
    texts: [String],
    imputed: Number,
    latencyMs: Number,
    error: String,
    question: String,
  },
  plain,
).index({ series: 1, entityTime: 1 });

const labelSchema = new Schema<LabelRow>(
  { _id: String, series: String, entityId: String, entityTime: Number, revisions: [Mixed] },
  plain,
).index({ series: 1, entityTime: 1 });

const repeatedSchema = new Schema<RepeatedIds>({ _id: String, count: Number, id: String, time: Number }, plain);

const layoutSchema = new Schema<LayoutDocument>({ _id: String, numbers: [String], texts: [String] }, plain);

@Injectable()
export class Rows {
  readonly predictions: Model<PredictionRow>;
  readonly labels: Model<LabelRow>;
  readonly layouts: Model<LayoutDocument>;
  private readonly repeats: Model<RepeatedIds>;

  constructor(connection: mongoose.Connection) {
    this.predictions = connection.model<PredictionRow>('PredictionRow', predictionSchema, 'predictions');
    this.labels = connection.model<LabelRow>('LabelRow', labelSchema, 'labels');
    this.layouts = connection.model<LayoutDocument>('Layout', layoutSchema, 'layouts');
    this.repeats = connection.model<RepeatedIds>('RepeatedIds', repeatedSchema, 'repeated_ids');
  }

  /** Adds predictions of a model; one that is there already stays as it is (I1). */
  async addPredictions(series: string, rows: PredictionRow[]): Promise<void> {
    const known = (await insertNew(this.predictions, rows)).filter(({ question }) => question);
    if (!known.length) return;
    const there = await this.questionsOf(known.map(({ _id }) => _id));
    const others = known
      .filter(({ _id, question }) => (there.get(_id) || question) !== question)
      .map((row) => ({ ...row, _id: `${row._id}\u001f${row.question}` }));
    const again = new Set((await insertNew(this.predictions, others)).map(({ _id }) => _id));
    await this.countRepeated(
      series,
      others.filter(({ _id }) => !again.has(_id)),
    );
  }

  private async questionsOf(ids: string[]): Promise<Map<string, string | undefined>> {
    const found = await this.predictions.find({ _id: { $in: ids } }).lean<PredictionRow[]>();
    return new Map(found.map(({ _id, question }) => [_id, question]));
  }

  private async countRepeated(series: string, rows: readonly PredictionRow[]): Promise<void> {
    const last = rows.at(-1);
    if (!last) return;
    const id = last._id.slice(series.length + 1, last._id.lastIndexOf('\u001f'));
    const counted = { $inc: { count: rows.length }, $set: { id, time: last.eventTime } };
    await this.repeats.updateOne({ _id: series }, counted, { upsert: true });
  }

  /** Predictions of a model under ids of others, of all time; undefined where there are none. */
  async repeated(series: string): Promise<RepeatedIds | undefined> {
    return (await this.repeats.findById(series).lean<RepeatedIds>()) ?? undefined;
  }

  /** Adds labels, and revisions to labels that are there. */
  async addLabels(rows: LabelRow[]): Promise<void> {
    for (const row of await insertNew(this.labels, rows))
      await this.labels.updateOne({ _id: row._id }, { $addToSet: { revisions: { $each: row.revisions } } });
  }

  async addLayout(layout: LayoutDocument): Promise<void> {
    await this.layouts.updateOne({ _id: layout._id }, { $setOnInsert: layout }, { upsert: true });
  }

  layoutsById(ids: string[]): Promise<LayoutDocument[]> {
    return this.layouts
      .find({ _id: { $in: ids } })
      .lean<LayoutDocument[]>()
      .exec();
  }

  /** Rows of a series (tenant/model, tenant/label) whose entity time lies in [from, to). */
  predictionsBetween(series: string, from: number, to: number): Promise<PredictionRow[]> {
    return this.predictions
      .find(within(series, from, to))
      .lean<PredictionRow[]>()
      .exec();
  }

  labelsBetween(series: string, from: number, to: number): Promise<LabelRow[]> {
    return this.labels
      .find(within(series, from, to))
      .lean<LabelRow[]>()
      .exec();
  }

  countPredictions(series: string, from: number, to: number): Promise<number> {
    return this.predictions.countDocuments(within(series, from, to)).exec();
  }

  countLabelsFrom(series: string, from: number): Promise<number> {
    return this.labels.countDocuments({ series, entityTime: { $gte: from } }).exec();
  }

  /** The earliest entity time at or after `from` that either series has a row of, or undefined. */
  async earliest(predictions: string, labels: string, from: number): Promise<number | undefined> {
    const since = (series: string) => ({ series, entityTime: { $gte: from } });
    const [prediction, label] = await Promise.all([
      this.predictions.findOne(since(predictions)).sort({ entityTime: 1 }).lean<PredictionRow>(),
      this.labels.findOne(since(labels)).sort({ entityTime: 1 }).lean<LabelRow>(),
    ]);
    const times = [prediction, label].flatMap((row) => (row ? [row.entityTime] : []));
    return times.length ? Math.min(...times) : undefined;
  }

  async deleteBefore(predictions: string, labels: string, entityTime: number): Promise<void> {
    const before = (series: string) => ({ series, entityTime: { $lt: entityTime } });
    await this.predictions.deleteMany(before(predictions));
    await this.labels.deleteMany(before(labels));
  }
}

const within = (series: string, from: number, to: number) => ({ series, entityTime: { $gte: from, $lt: to } });
