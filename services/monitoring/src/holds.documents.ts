/** What people said of a model's loop: pause it, let it go on; each once, in order, with who and why. */
import { Injectable } from '@nestjs/common';
import mongoose, { type Model, Schema } from 'mongoose';

/** One command. `_id` is tenant/model/number. */
export interface HoldDocument {
  _id: string;
  series: string;
  /** From 1 on. */
  number: number;
  paused: boolean;
  note: string;
  /** Who said it. */
  by: string;
  /** Event time of the last tick when it was said, epoch ms. */
  time: number;
  /** Wall time when it was said; for the record alone. */
  said: Date;
  /** The tick that acted on it, epoch ms; null until one has. */
  acted: number | null;
}

const schema = new Schema<HoldDocument>(
  {
    _id: String,
    series: String,
    number: Number,
    paused: Boolean,
    note: String,
    by: String,
    time: Number,
    said: Date,
    acted: Number,
  },
  { versionKey: false, minimize: false },
).index({ series: 1, number: 1 }, { unique: true });

@Injectable()
export class HoldDocuments {
  readonly holds: Model<HoldDocument>;

  constructor(connection: mongoose.Connection) {
    this.holds = connection.model<HoldDocument>('Hold', schema, 'holds');
  }

  /** All of a model, in order. */
  of(series: string): Promise<HoldDocument[]> {
    return this.holds.find({ series }).sort({ number: 1 }).lean<HoldDocument[]>().exec();
  }

  last(series: string): Promise<HoldDocument | null> {
    return this.holds.findOne({ series }).sort({ number: -1 }).lean<HoldDocument>().exec();
  }
}
