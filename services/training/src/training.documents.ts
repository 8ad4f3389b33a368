/** The documents of training: specs as declared, and jobs with their lease, checkpoints and outcome. */

import { outboxed } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import mongoose, { type Model, Schema } from 'mongoose';
import type { Failure } from './errors.js';
import type { Checkpoint } from './recipe/recipe.js';

/** A spec as declared. `_id` is tenant/model/revision. */
export interface SpecDocument {
  _id: string;
  tenant: string;
  model: string;
  revision: number;
  specJson: string;
  specSha256: string;
}

/** The training set, as the feature store answered. */
export interface DatasetRef {
  uri: string;
  sha256: string;
  rows: number;
  /** Rows that were left out because they are held in quarantine. */
  excludedRows?: number;
}

/** What a job has done so far. Models lie in the object store, by key; the rest is here. */
export type JobCheckpoint = Omit<Checkpoint, 'twin' | 'released'> & {
  dataset?: DatasetRef;
  twinKey?: string;
  releasedKey?: string;
  /** SHA-256 of their bytes; none in a job of before. */
  twinSha256?: string;
  releasedSha256?: string;
  /** When the first attempt began, wall ms; for its span alone. */
  began?: number;
  /** Spans of the parts that are done: CycleSpan as proto3 JSON. */
  spans?: unknown[];
};

/**
 * `queued` → `running` (under a lease) → `finished` (with a result or a failure, until it is due) → `reported`
 * (model.trained) or `failed` (training.failed).
 */
export type JobState = 'queued' | 'running' | 'finished' | 'reported' | 'failed';

/** One training. `_id` is the hash of tenant, model, cycle and attempt. */
export interface JobDocument {
  _id: string;
  tenant: string;
  model: string;
  cycleId: string;
  attempt: number;
  champion: string;
  rolloutRevision: number;
  purpose: string;
  specRevision: number;
  knowledgeCutoff: Date;
  /** Stretches that are held in quarantine, QuarantineWindow as proto3 JSON. */
  quarantined?: unknown[];
  due: Date;
  /** Event time of the request. */
  requested: Date;
  /** Event time after which a live job that has not ended is given up. */
  deadline: Date;
  state: JobState;
  /** Who works on it, until when (wall time, epoch ms). 0 for nobody. */
  leaseOwner: string;
  leaseUntil: number;
  /** Fencing number: rises with every claim; a write under an older one is refused. */
  fence: number;
  /** Not claimed before this wall time, epoch ms. */
  notBefore: number;
  /** Attempts that failed retriably. */
  retries: number;
  /** Times that its worker vanished: the lease ran out, or its process died. */
  losses: number;
  /** Trace context of the work that queued it. */
  traceparent?: string;
  checkpoint: JobCheckpoint;
  progress: string;
  /** proto3 JSON of ModelTrained, once trained. */
  result?: unknown;
  failure?: Failure | null;
  /** Wall seconds of the training itself. */
  seconds: number;
  pending?: unknown[];
}

const specSchema = new Schema<SpecDocument>(
  { _id: String, tenant: String, model: String, revision: Number, specJson: String, specSha256: String },
  { versionKey: false },
).index({ tenant: 1, model: 1, revision: 1 });

const { Mixed } = Schema.Types;

const jobSchema = new Schema<JobDocument>(
  {
    _id: String,
    tenant: String,
    model: String,
    cycleId: String,
    attempt: Number,
    champion: String,
    rolloutRevision: Number,
    purpose: String,
    specRevision: Number,
    knowledgeCutoff: Date,
    quarantined: [Mixed],
    due: Date,
    requested: Date,
    deadline: Date,
    state: String,
    leaseOwner: String,
    leaseUntil: Number,
    fence: Number,
    notBefore: Number,
    retries: Number,
    losses: Number,
    traceparent: String,
    checkpoint: Mixed,
    progress: String,
    result: Mixed,
    failure: Mixed,
    seconds: Number,
  } as never,
  { versionKey: false, minimize: false },
)
  .index({ state: 1, due: 1 })
  .index({ tenant: 1, model: 1 })
  .plugin(outboxed);

@Injectable()
export class TrainingDocuments {
  readonly specs: Model<SpecDocument>;
  readonly jobs: Model<JobDocument>;

  constructor(connection: mongoose.Connection) {
    this.specs = connection.model<SpecDocument>('Spec', specSchema, 'specs');
    this.jobs = connection.model<JobDocument>('Job', jobSchema, 'jobs');
  }

  job(id: string): Promise<JobDocument | null> {
    return this.jobs.findById(id).lean<JobDocument>().exec();
  }

  /** The newest spec heard of a model. */
  newestSpec(tenant: string, model: string): Promise<SpecDocument | null> {
    return this.specs.findOne({ tenant, model }).sort({ revision: -1 }).lean<SpecDocument>().exec();
  }

  spec(tenant: string, model: string, revision: number): Promise<SpecDocument | null> {
    return this.specs.findById(`${tenant}/${model}/${revision}`).lean<SpecDocument>().exec();
  }

  /** Jobs in these states that are due, in the order of their due times. */
  async dueBy(now: Date, states: JobState[]): Promise<JobDocument[]> {
    const found = await this.jobs
      .find({ state: { $in: states }, due: { $lte: now } })
      .lean<JobDocument[]>()
      .exec();
    return found.sort((a, b) => a.due.getTime() - b.due.getTime() || (a._id < b._id ? -1 : 1));
  }
}
