/** The documents of the feature store: specs by revision, batches of rows as they came, segments that batches became. */
import { outboxed } from '@driftloop/documents';
import { Connection } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';

/** A model's spec at a revision. `_id` is tenant/model/revision. */
export interface SpecDocument {
  _id: string;
  tenant: string;
  model: string;
  revision: number;
  specJson: string;
}

/**
 * Rows of one source as one write: lines of JSON columns (rows/lines.ts). `_id` is stream/sequence, `stream` is
 * tenant/model/source; sequences of a stream rise by one.
 */
export interface BatchDocument {
  _id: string;
  stream: string;
  sequence: number;
  rows: number;
  lines: string;
  /** A promise that came with the rows: everything of this part known at or before it has been sent. */
  part: number;
  watermark: number | null;
  /** A person has taken all promises back: none is further than `watermark` any more, nor any without one. */
  withdrawn?: boolean;
  /** Of the leader that wrote it, where the store is led. */
  fence?: number;
  pending?: unknown[];
}

/** The batches first…last of a stream as one Parquet object. `_id` is stream/last. */
export interface SegmentDocument {
  _id: string;
  stream: string;
  first: number;
  last: number;
  rows: number;
  columns: string[];
  newestKnownAt: number;
  newestEventTime: number;
  /** The stream's watermarks by part, up to this segment. */
  watermarks: (number | null)[];
  objectKey: string;
  sha256: string;
  /** Of the leader that made it, where the store is led. */
  fence?: number;
}

const specSchema = new Schema<SpecDocument>(
  { _id: String, tenant: String, model: String, revision: Number, specJson: String },
  { versionKey: false },
).index({ tenant: 1, model: 1, revision: 1 }, { unique: true });

const batchSchema = new Schema<BatchDocument>(
  {
    ...{ _id: String, stream: String, sequence: Number, rows: Number, lines: String, part: Number, watermark: Number },
    ...{ withdrawn: Boolean, fence: Number },
  },
  { versionKey: false },
)
  .index({ stream: 1, sequence: 1 }, { unique: true })
  .plugin(outboxed) as unknown as Schema<BatchDocument>;

const segmentSchema = new Schema<SegmentDocument>(
  {
    ...{ _id: String, stream: String, first: Number, last: Number, rows: Number, columns: [String] },
    ...{ newestKnownAt: Number, newestEventTime: Number, watermarks: [Number], objectKey: String, sha256: String },
    fence: Number,
  },
  { versionKey: false },
)
  .index({ stream: 1, last: 1 }, { unique: true })
  .index({ stream: 1, first: 1 }, { unique: true });

@Injectable()
export class FeatureStoreDocuments {
  readonly specs: Model<SpecDocument>;
  readonly batches: Model<BatchDocument>;
  readonly segments: Model<SegmentDocument>;

  constructor(connection: Connection) {
    this.specs = connection.model<SpecDocument>('Spec', specSchema as Schema, 'specs');
    this.batches = connection.model<BatchDocument>('Batch', batchSchema as Schema, 'batches');
    this.segments = connection.model<SegmentDocument>('Segment', segmentSchema as Schema, 'segments');
  }

  /** Every spec, oldest revision first. */
  allSpecs(): Promise<SpecDocument[]> {
    return this.specs.find().sort({ tenant: 1, model: 1, revision: 1 }).lean<SpecDocument[]>().exec();
  }

  spec(tenant: string, model: string, revision: number): Promise<SpecDocument | null> {
    return this.specs.findOne({ tenant, model, revision }).lean<SpecDocument>().exec();
  }

  async keepSpec(spec: SpecDocument): Promise<void> {
    const { _id, ...rest } = spec;
    await this.specs.updateOne({ _id }, { $setOnInsert: rest }, { upsert: true });
  }

  /** A stream's segments in order. */
  segmentsOf(stream: string): Promise<SegmentDocument[]> {
    return this.segments.find({ stream }).sort({ last: 1 }).lean<SegmentDocument[]>().exec();
  }

  /** A stream's batches after a sequence, in order, at most `limit`. */
  batchesAfter(stream: string, sequence: number, limit: number): Promise<BatchDocument[]> {
    const after = this.batches.find({ stream, sequence: { $gt: sequence } }).sort({ sequence: 1 });
    return after.limit(limit).lean<BatchDocument[]>().exec();
  }
}
