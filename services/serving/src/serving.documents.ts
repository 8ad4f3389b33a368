/**
 * What serving remembers: the last good state of each model, so that it starts with the registry away. Each replica
 * remembers for itself, since each has loaded, told of, and failed to load its own; a new one learns from the others.
 */
import { events, Rollout, RolloutFailed, RolloutFollowed } from '@driftloop/contracts';
import { type Cause, emission, Outbox, outboxed } from '@driftloop/documents';
import { Connection, CycleSpans, Settings } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';
import { failedStep, followedStep, type Taking } from './rollout-steps.js';
import type { ServedModel } from './served-models.js';

/** `_id` is tenant/model@replica. Rollouts are Rollout messages as proto3 JSON, newest first. */
export interface ServedModelDocument {
  _id: string;
  tenant: string;
  model: string;
  replica: string;
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
    replica: String,
    specRevision: Number,
    specJson: String,
    rollouts: [Mixed],
    failedRevision: Number,
  },
  { versionKey: false },
)
  .index({ replica: 1 })
  .plugin(outboxed);

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

  /** Every model remembered by this replica. */
  own(): Promise<ServedModelDocument[]> {
    const { replica } = this.settings;
    return this.models.find({ replica }).lean<ServedModelDocument[]>();
  }

  /** Models that other replicas remember and this one does not, each as the one of the newest rollout has it. */
  async others(): Promise<ServedModelDocument[]> {
    const known = new Set((await this.own()).map(nameOf));
    const others = await this.models.find({ replica: { $ne: this.settings.replica } }).lean<ServedModelDocument[]>();
    const newest = new Map<string, ServedModelDocument>();
    for (const document of others.filter((one) => !known.has(nameOf(one)))) {
      const found = newest.get(nameOf(document));
      if (!found || revisionOf(document) > revisionOf(found)) newest.set(nameOf(document), document);
    }
    return [...newest.values()];
  }

  /** Remembers a spec; one that is not newer changes nothing. */
  async declared(tenant: string, model: string, specRevision: number, specJson: string): Promise<void> {
    const { replica } = this.settings;
    const _id = this.idOf(`${tenant}/${model}`);
    const blank = { tenant, model, replica, rollouts: [], specRevision: 0 };
    await this.models.updateOne({ _id }, { $setOnInsert: blank }, { upsert: true });
    await this.models.updateOne({ _id, specRevision: { $lt: specRevision } }, { $set: { specRevision, specJson } });
  }

  /** Remembers a model's rollouts, newest first. */
  async followed({ key }: ServedModel, rollouts: readonly Rollout[]): Promise<void> {
    const _id = this.idOf(key);
    await this.models.updateOne({ _id }, { $set: { rollouts: rollouts.map((r) => Rollout.toJSON(r)) } });
  }

  /** Remembers a model's rollouts, and tells that this replica follows the newest; again, it is the same event. */
  async took(served: ServedModel, rollouts: readonly Rollout[], taking: Taking): Promise<void> {
    const { key, tenant, model } = served;
    const _id = this.idOf(key);
    const { replica } = this.settings;
    const [{ revision, rolloutId, cycleId, stage, champion, effective }] = rollouts;
    const span = this.spans.row(followedStep(rollouts[0], replica, taking));
    const facts = { tenant, model, rolloutId, revision, stage, version: champion?.version ?? '', replica, span };
    const told = RolloutFollowed.fromPartial({ ...facts, cycleId: taking.holdOnly ? '' : cycleId });
    const time = effective?.getTime() ?? taking.cause.time;
    const own = { ...taking.cause, time, id: `${key}/followed/${revision}/${replica}` };
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
    const filter = { _id: this.idOf(key), failedRevision: { $ne: revision } };
    const written = await this.outbox.update(
      this.models,
      filter,
      { $set: { failedRevision: revision } },
      [told],
      cause,
    );
    if (written) this.spans.send(span);
  }

  private idOf(key: string): string {
    return `${key}@${this.settings.replica}`;
  }
}

const nameOf = ({ tenant, model }: ServedModelDocument): string => `${tenant}/${model}`;

/** Of the newest rollout; 0 where there is none. */
const revisionOf = ({ rollouts }: ServedModelDocument): number =>
  rollouts.length ? Rollout.fromJSON(rollouts[0]).revision : 0;

export interface FailureFacts {
  readonly version: string;
  readonly code: string;
  readonly reason: string;
  /** The version that goes on answering; empty where there is none. */
  readonly answering: string;
}
