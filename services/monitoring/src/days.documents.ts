/** Closed cohorts: one document a day with the integer sums that every later decision is computed from. */
import { Leadership } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import mongoose, { type Model, Schema } from 'mongoose';
import type { DayCounts, DayDetails, DayDocument } from './day-rows.js';
import { fenceField, keepFenced } from './fenced.js';
import { knownAfter } from './quarantine-parts.js';

const { Mixed } = Schema.Types;

const daySchema = new Schema<DayDocument>(
  {
    _id: String,
    series: String,
    day: Number,
    closedAt: Number,
    predictions: Number,
    labelled: Number,
    unlabelled: Number,
    labels: Number,
    known: [Mixed],
    lastKnown: Number,
    knownOf: [Mixed],
    awaited: [String],
    censored: Number,
    late: Number,
    rowsLeft: Boolean,
    absorbedAt: Number,
    versions: [Mixed],
    pairs: [Mixed],
    counts: Mixed,
    parts: [Mixed],
    held: [Mixed],
    ...fenceField,
  },
  { versionKey: false, minimize: false },
)
  .index({ series: 1, day: 1 })
  .index({ series: 1, lastKnown: 1 });

const detailsSchema = new Schema<DayDetails>(
  { _id: String, series: String, day: Number, slices: String, losses: String },
  { versionKey: false, minimize: false },
).index({ series: 1, day: 1 });

/** Details are let go when they are older: no window and no dating of a change reaches further back. */
const detailsFor = 64 * 86_400_000;

@Injectable()
export class Days {
  readonly days: Model<DayDocument>;
  readonly details: Model<DayDetails>;

  constructor(
    connection: mongoose.Connection,
    private readonly leadership: Leadership,
  ) {
    this.days = connection.model<DayDocument>('Day', daySchema, 'days');
    this.details = connection.model<DayDetails>('DayDetails', detailsSchema, 'day_details');
  }

  /** Details first: a day that is there has them. */
  async keep(day: DayDocument): Promise<void> {
    const fields = { ...day };
    if (fields.counts) fields.counts = await this.keepDetails(day, fields.counts);
    await keepFenced(this.days, fields, this.leadership);
  }

  private async keepDetails({ _id, series, day }: DayDocument, counted: DayCounts): Promise<DayCounts> {
    const { slices, losses, ...counts } = counted;
    if (slices === undefined || losses === undefined) return counts;
    await this.details.updateOne({ _id }, { $set: { series, day, slices, losses } }, { upsert: true });
    await this.details.deleteMany({ series, day: { $lt: day - detailsFor } });
    return counts;
  }

  /** As `last`, with the details of each day. */
  async lastWithDetails(series: string, count: number): Promise<DayDocument[]> {
    const days = await this.last(series, count);
    const found = await this.details.find({ _id: { $in: days.map(({ _id }) => _id) } }).lean<DayDetails[]>();
    const byId = new Map(found.map(({ _id, slices, losses }) => [_id, { slices, losses }]));
    return days.map((day) => (day.counts ? { ...day, counts: { ...day.counts, ...byId.get(day._id) } } : day));
  }

  find(series: string, day: number): Promise<DayDocument | null> {
    return this.days.findById(dayId(series, day)).lean<DayDocument>().exec();
  }

  /** The newest `count` closed days, oldest first. */
  async last(series: string, count: number): Promise<DayDocument[]> {
    const newest = await this.days.find({ series }).sort({ day: -1 }).limit(count).lean<DayDocument[]>();
    return newest.reverse();
  }

  /** The newest `count` days that were closed at or before an instant, oldest first. */
  async lastClosedBy(series: string, at: number, count: number, closing: number): Promise<DayDocument[]> {
    const filter = { series, day: { $lte: at - closing } };
    const newest = await this.days.find(filter).sort({ day: -1 }).limit(count).lean<DayDocument[]>();
    return newest.reverse();
  }

  from(series: string, day: number): Promise<DayDocument[]> {
    return this.days
      .find({ series, day: { $gte: day } })
      .sort({ day: 1 })
      .lean<DayDocument[]>()
      .exec();
  }

  /** Labels of closed cohorts that became known after an instant (rounded up to the hour) and are not held in quarantine. */
  async labelsKnownAfter(series: string, after: number): Promise<number> {
    const days = await this.days.find({ series, lastKnown: { $gt: after } }).lean<DayDocument[]>();
    return days.reduce((sum, day) => sum + knownAfter(day, after), 0);
  }
}

export const dayId = (series: string, day: number): string => `${series}/${new Date(day).toISOString()}`;
