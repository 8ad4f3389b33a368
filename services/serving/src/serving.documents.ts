/**
 * What serving remembers: the last good state of each model, so that it starts with the registry away. Each replica
 * remembers for itself, since each has loaded, told of, and failed to load its own; a new one learns from the others.
 */
import { events, Rollout, RolloutFailed, RolloutFollowed } from '@driftloop/contracts';
import { type Cause, emission, Outbox, outboxed } from '@driftloop/documents';
import { Connection, CycleSpans, Settings } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';
import type { FailureFacts } from './rollout-steps.js';
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
  /** Revision of the newest rollout that cannot be served as it is, which has been told. */
  failedRevision?: number | null;
  /** That rollout, to be tried again. */
  failedRollout?: unknown;
  /** How many reports of what it serves this replica has made; of two that differ the later holds. */
  reports?: number;
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
    failedRollout: Mixed,
    reports: Number,
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

  /**
   * Remembers a model's rollouts, and tells that this replica follows the newest; again, it is the same event, unless it
   * was told meanwhile that it cannot.
   */
  async took(served: ServedModel, rollouts: readonly Rollout[], taking: Taking): Promise<void> {
    const { key, tenant, model } = served;
    const _id = this.idOf(key);
    const { replica } = this.settings;
    const [{ revision, rolloutId, cycleId, stage, champion, effective }] = rollouts;
    const span = this.spans.row(followedStep(rollouts[0], replica, taking));
    const { report, failedRevision } = await this.nextReport(_id);
    const facts = {
      tenant,
      model,
      rolloutId,
      revision,
      stage,
      version: champion?.version ?? '',
      replica,
      span,
      report,
    };
    const told = RolloutFollowed.fromPartial({ ...facts, cycleId: taking.holdOnly ? '' : cycleId });
    const time = effective?.getTime() ?? taking.cause.time;
    const again = failedRevision === revision ? `/${report}` : '';
    const own = { ...taking.cause, time, id: `${key}/followed/${revision}/${replica}${again}` };
    const kept = { rollouts: rollouts.map((r) => Rollout.toJSON(r)), reports: report };
    const update = { $set: { ...kept, failedRevision: null, failedRollout: null } };
    const written = await this.outbox.update(
      this.models,
      { _id },
      update,
      [emission(events.rolloutFollowed, told, time)],
      own,
    );
    if (written) this.spans.send(span);
  }

  /** Tells that a rollout cannot be served as it is, once however often that is found, until it is followed after all. */
  async failed({ key, tenant, model }: ServedModel, rollout: Rollout, why: FailureFacts, cause: Cause): Promise<void> {
    const { revision, rolloutId, cycleId } = rollout;
    const { replica } = this.settings;
    const span = this.spans.row(failedStep(rollout, replica, why, cause));
    const _id = this.idOf(key);
    const { report, failedRevision, reports } = await this.nextReport(_id);
    if (failedRevision === revision && reports) return;
    const facts = { tenant, model, rolloutId, cycleId, replica, ...why, revision, span, report };
    const told = emission(events.rolloutFailed, RolloutFailed.fromPartial(facts), cause.time);
    const filter = { _id, reports: reports ?? { $exists: false } };
    const own = { ...cause, id: reports ? `${cause.id}/${report}` : cause.id };
    const written = await this.outbox.update(
      this.models,
      filter,
      { $set: { failedRevision: revision, failedRollout: Rollout.toJSON(rollout), reports: report } },
      [told],
      own,
    );
    if (written) this.spans.send(span);
  }

  /** One writes them: a replica follows a model's changes one at a time (following.ts, I4). */
  private async nextReport(_id: string) {
    const found = await this.models.findById(_id, { failedRevision: 1, reports: 1 }).lean<ServedModelDocument>();
    const { failedRevision, reports } = found ?? {};
    return { failedRevision, reports, report: (reports ?? 0) + 1 };
  }

  private idOf(key: string): string {
    return `${key}@${this.settings.replica}`;
  }
}

const nameOf = ({ tenant, model }: ServedModelDocument): string => `${tenant}/${model}`;

/** Of the newest rollout; 0 where there is none. */
const revisionOf = ({ rollouts }: ServedModelDocument): number =>
  rollouts.length ? Rollout.fromJSON(rollouts[0]).revision : 0;
