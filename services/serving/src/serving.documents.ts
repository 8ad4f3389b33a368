/** What serving remembers: the last good state of each model, so that it starts with the registry away. */
import { outboxed } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Connection, type Model, Schema } from 'mongoose';

/** `_id` is tenant/model. Rollouts are Rollout messages as proto3 JSON, newest first. */
export interface ServedModelDocument {
  _id: string;
  tenant: string;
  model: string;
  specRevision: number;
  specJson: string;
  rollouts: unknown[];
  /** Revision of the newest rollout that could not be loaded. */
  failedRevision?: number;
  pending?: unknown[];
}

const { Mixed } = Schema.Types;

const servedModelSchema = new Schema<ServedModelDocument>(
  {
    _id: String,
    tenant: String,
    model: String,
    specRevision: Number,
    specJson: String,
    rollouts: [Mixed],
    failedRevision: Number,
  },
  { versionKey: false },
).plugin(outboxed);

@Injectable()
export class ServingDocuments {
  readonly models: Model<ServedModelDocument>;

  constructor(connection: Connection) {
    this.models = connection.model<ServedModelDocument>('ServedModel', servedModelSchema, 'served_models');
  }
}
