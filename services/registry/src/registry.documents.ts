/** The documents of the registry: models as declared, versions with their lineage, one rollout a model. */
import { isDuplicateKey, outboxed } from '@driftloop/documents';
import { Connection } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';

/** A model as declared. `_id` is tenant/model. */
export interface ModelDocument {
  _id: string;
  tenant: string;
  model: string;
  revision: number;
  specJson: string;
  specSha256: string;
  pending?: unknown[];
}

/**
 * `registered` waits for the gate; `approved` waits for its rollout; `challenger` is on trial; the rest are outcomes.
 */
export type VersionState =
  | 'registered'
  | 'refused'
  | 'approved'
  | 'challenger'
  | 'champion'
  | 'retired'
  | 'rolled_back';

/** One version. `_id` is tenant/model/version. `trained` is the ModelTrained that made it, as proto3 JSON. */
export interface VersionDocument {
  _id: string;
  tenant: string;
  model: string;
  version: string;
  number: number;
  state: VersionState;
  /** Revision of the rollout that the state follows from; absent before any. */
  stateRevision?: number;
  cycleId: string;
  eventTime: Date;
  trained: unknown;
  gate?: unknown;
  pending?: unknown[];
}

/** Monitoring's word on a stage, until the next tick acts on it. */
export interface Judgement {
  rolloutId: string;
  verdict: string;
  eventTime: Date;
  decision: unknown;
}

/** A version's state, by its `_id`. */
export interface OwedState {
  readonly version: string;
  readonly state: VersionState;
}

/** Who answers, who is on trial, who watches. `rollout` and `history` are Rollout messages as proto3 JSON. */
export interface RolloutDocument {
  _id: string;
  tenant: string;
  model: string;
  revision: number;
  rollout: unknown;
  /** Earlier states, newest first, at most 50. */
  history: unknown[];
  judgement?: Judgement | null;
  /** States of versions that follow from the rollout and may not be written yet. */
  owed?: OwedState[];
  pending?: unknown[];
}

const { Mixed } = Schema.Types;

const modelSchema = new Schema<ModelDocument>(
  { _id: String, tenant: String, model: String, revision: Number, specJson: String, specSha256: String },
  { versionKey: false },
).plugin(outboxed);

const versionSchema = new Schema<VersionDocument>(
  {
    _id: String,
    tenant: String,
    model: String,
    version: String,
    number: Number,
    state: String,
    stateRevision: Number,
    cycleId: String,
    eventTime: Date,
    trained: Mixed,
    gate: Mixed,
  },
  { versionKey: false },
)
  .index({ tenant: 1, model: 1, number: 1 }, { unique: true })
  .index({ cycleId: 1, tenant: 1, model: 1 }, { unique: true })
  .index({ state: 1 })
  .plugin(outboxed);

const rolloutSchema = new Schema<RolloutDocument>(
  {
    _id: String,
    tenant: String,
    model: String,
    revision: Number,
    rollout: Mixed,
    history: [Mixed],
    judgement: Mixed,
    owed: [Mixed],
  },
  { versionKey: false },
).plugin(outboxed);

@Injectable()
export class RegistryDocuments {
  readonly models: Model<ModelDocument>;
  readonly versions: Model<VersionDocument>;
  readonly rollouts: Model<RolloutDocument>;

  constructor(connection: Connection) {
    this.models = connection.model<ModelDocument>('Model', modelSchema, 'models');
    this.versions = connection.model<VersionDocument>('Version', versionSchema, 'versions');
    this.rollouts = connection.model<RolloutDocument>('Rollout', rolloutSchema, 'rollouts');
  }

  /** Adds a version; one that is there stays as it is, and so does one of the same cycle. */
  async addVersion({
    _id,
    ...fields
  }: Omit<VersionDocument, 'eventTime'> & { eventTime: Date | undefined }): Promise<void> {
    await this.versions.init();
    try {
      await this.versions.updateOne({ _id }, { $setOnInsert: fields as VersionDocument }, { upsert: true });
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
  }

  /** Writes what a state of the rollout makes of versions; a state that follows from an older one changes nothing. */
  async owe(revision: number, owed: readonly OwedState[]): Promise<void> {
    for (const { version: _id, state } of owed) {
      const filter = { _id, stateRevision: { $not: { $gt: revision } } };
      await this.versions.updateOne(filter, { $set: { state, stateRevision: revision } });
    }
  }

  versionsOf(tenant: string, model: string): Promise<VersionDocument[]> {
    return this.versions.find({ tenant, model }).sort({ number: 1 }).lean<VersionDocument[]>().exec();
  }

  versionsIn(state: VersionState): Promise<VersionDocument[]> {
    return this.versions.find({ state }).lean<VersionDocument[]>().exec();
  }
}
