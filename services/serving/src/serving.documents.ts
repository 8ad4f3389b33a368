/** What serving remembers: the last good state of each model, so that it starts with the registry away. */
import { events, Rollout, RolloutFailed, RolloutFollowed } from '@driftloop/contracts';
import { type Cause, emission, Outbox, outboxed } from '@driftloop/documents';
import { Connection, CycleSpans, Settings } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';
import { failedStep, followedStep, type Taking } from './rollout-steps.js';
import type { ServedModel } from './served-models.js';

/** `_id` is tenant/model. Rollouts are Rollout messages as proto3 JSON, newest first. */
export interface ServedModelDocument {
  _id: string;
  tenant: string;
  model: string;
  specRevision: number;
  specJson: string;
  rollouts: unknown[];
  /** Revision of the newest rollout that could not be loaded, which has been told. */
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
  private readonly models: Model<ServedModelDocument>;

  constructor(
    connection: Connection,
    private readonly outbox: Outbox,
    private readonly settings: Settings,
    private readonly spans: CycleSpans,
  ) {
    this.models = connection.model<ServedModelDocument>('ServedModel', servedModelSchema, 'served_models');
  }

  /** Every model remembered. */
  all(): Promise<ServedModelDocument[]> {
    return this.models.find().lean<ServedModelDocument[]>();
  }

  /** Remembers a spec; one that is not newer changes nothing. */
  async declared(tenant: string, model: string, specRevision: number, specJson: string): Promise<void> {
    const _id = `${tenant}/${model}`;
    const blank = { tenant, model, rollouts: [], specRevision: 0 };
    await this.models.updateOne({ _id }, { $setOnInsert: blank }, { upsert: true });
    await this.models.updateOne({ _id, specRevision: { $lt: specRevision } }, { $set: { specRevision, specJson } });
  }

  /** Remembers a model's rollouts, newest first. */
  async followed({ key }: ServedModel, rollouts: readonly Rollout[]): Promise<void> {
    await this.models.updateOne({ _id: key }, { $set: { rollouts: rollouts.map((r) => Rollout.toJSON(r)) } });
  }

  /** Remembers a model's rollouts, and tells that this replica follows the newest; again, it is the same event. */
  async took(served: ServedModel, rollouts: readonly Rollout[], taking: Taking): Promise<void> {
    const { key: _id, tenant, model } = served;
    const { replica } = this.settings;
    const [{ revision, rolloutId, cycleId, stage, champion, effective }] = rollouts;
    const span = this.spans.row(followedStep(rollouts[0], replica, taking));
    const facts = { tenant, model, rolloutId, revision, stage, version: champion?.version ?? '', replica, span };
    const told = RolloutFollowed.fromPartial({ ...facts, cycleId: taking.holdOnly ? '' : cycleId });
    const time = effective?.getTime() ?? taking.cause.time;
    const own = { ...taking.cause, time, id: `${_id}/followed/${revision}/${replica}` };
    const update = { $set: { rollouts: rollouts.map((r) => Rollout.toJSON(r)) } };
    const written = await this.outbox.update(
      this.models,
      { _id },
      update,
      [emission(events.rolloutFollowed, told, time)],
      own,
    );
    if (written) this.spans.send(span);
  }

  /** Tells that a rollout cannot be served, once a rollout however often it is heard. */
  async failed({ key, tenant, model }: ServedModel, rollout: Rollout, why: FailureFacts, cause: Cause): Promise<void> {
    const { revision, rolloutId, cycleId } = rollout;
    const { replica } = this.settings;
    const span = this.spans.row(failedStep(rollout, replica, why, cause));
    const facts = { tenant, model, rolloutId, cycleId, replica, ...why, revision, span };
    const told = emission(events.rolloutFailed, RolloutFailed.fromPartial(facts), cause.time);
    const filter = { _id: key, failedRevision: { $ne: revision } };
    const written = await this.outbox.update(
      this.models,
      filter,
      { $set: { failedRevision: revision } },
      [told],
      cause,
    );
    if (written) this.spans.send(span);
  }
}

export interface FailureFacts {
  readonly version: string;
  readonly code: string;
  readonly reason: string;
  /** The version that goes on answering; empty where there is none. */
  readonly answering: string;
}
