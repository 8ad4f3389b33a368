/** Stretches of days that are set aside, one document each; and how far the look at closed days has come. */
import type { SuspicionKind } from '@driftloop/algorithms';
import { Injectable } from '@nestjs/common';
import mongoose, { type Model, Schema } from 'mongoose';

export type QuarantineState = 'held' | 'released' | 'upheld';

/** A person's word about a stretch. */
export interface QuarantineWord {
  state: 'released' | 'upheld';
  note: string;
  by: string;
  /** Event time of the last tick when it was said, epoch ms. */
  time: number;
  /** Wall time; for the record alone. */
  said: Date;
  /** The tick that acted on it; null until one has. */
  acted: number | null;
}

/** Times are epoch ms. */
export interface QuarantineDocument {
  /** "monitoring/" and a hash of what is set aside. */
  _id: string;
  tenant: string;
  /** tenant/model */
  series: string;
  model: string;
  /** Who witnessed. */
  champion: string;
  kind: SuspicionKind;
  /** Empty: every source. */
  source: string;
  sign: number;
  /** First instants of the days, ascending. */
  days: number[];
  rows: number;
  reasons: string[];
  /** Evidence. */
  evidence: unknown[];
  /** The tick that set the first days aside, and the last that added any. */
  since: number;
  changed: number;
  words: QuarantineWord[];
}

/** The newest closed day that has been looked at; `_id` is the series. */
export interface LookedDocument {
  _id: string;
  day: number;
}

const { Mixed } = Schema.Types;
const plain = { versionKey: false, minimize: false } as const;

const itemSchema = new Schema<QuarantineDocument>(
  {
    ...{ _id: String, tenant: String, series: String, model: String, champion: String, kind: String, source: String },
    ...{ sign: Number, days: [Number], rows: Number, reasons: [String], evidence: [Mixed] },
    ...{ since: Number, changed: Number, words: [Mixed] },
  },
  plain,
)
  .index({ series: 1, since: -1 })
  .index({ tenant: 1, since: -1 });

const lookedSchema = new Schema<LookedDocument>({ _id: String, day: Number }, plain);

@Injectable()
export class QuarantineDocuments {
  readonly items: Model<QuarantineDocument>;
  readonly looks: Model<LookedDocument>;

  constructor(connection: mongoose.Connection) {
    this.items = connection.model<QuarantineDocument>('Quarantine', itemSchema, 'quarantine');
    this.looks = connection.model<LookedDocument>('Looked', lookedSchema, 'looked');
  }

  /** Every stretch of a model, oldest first: there are few. */
  of(series: string): Promise<QuarantineDocument[]> {
    return this.items.find({ series }).sort({ since: 1, _id: 1 }).lean<QuarantineDocument[]>().exec();
  }

  async keep(item: QuarantineDocument): Promise<void> {
    const { _id, words: _words, ...fields } = item;
    await this.items.updateOne({ _id }, { $set: fields, $setOnInsert: { words: [] } }, { upsert: true });
  }

  async looked(series: string): Promise<number | undefined> {
    return (await this.looks.findById(series).lean<LookedDocument>())?.day;
  }

  async keepLooked(series: string, day: number): Promise<void> {
    await this.looks.updateOne({ _id: series }, { $set: { day } }, { upsert: true });
  }
}

/** How a stretch stands for a tick: by the words that ticks up to it have acted on. */
export function stateAt({ words }: QuarantineDocument, now = Number.POSITIVE_INFINITY): QuarantineState {
  return words.filter(({ acted }) => acted !== null && acted <= now).at(-1)?.state ?? 'held';
}

/** How a stretch stands for people: by the last word. */
export const stateOf = ({ words }: QuarantineDocument): QuarantineState => words.at(-1)?.state ?? 'held';
