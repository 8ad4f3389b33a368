/**
 * The rollout document: every change is a compare-and-set on its revision, and is told with the change.
 *
 * I1  The champion moves only here, and only from the revision that the mover has read.
 * I2  `effective` never goes back: predictions asked after it, not at it, follow the new state.
 * I3  A change that only freezes or thaws moves nothing: a judgement that waits goes on waiting.
 * I4  The states of the versions that a change concerns are written with it as owed, then to the versions: a crash in
 *     between leaves a debt, which the next change or tick pays, whichever replica makes it; a debt of an older revision
 *     that is paid late changes nothing.
 */
import {
  type CycleSpan,
  type Decision,
  events,
  Rollout,
  RolloutChanged,
  type ServedVersion,
  Stage,
} from '@driftloop/contracts';
import { type Cause, type Emission, emission, Outbox } from '@driftloop/documents';
import { type CycleAct, CycleSpans } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type OwedState, RegistryDocuments, type RolloutDocument } from './registry.documents.js';

/** What changes in a rollout; the rest stays. */
export type RolloutChange = Partial<Omit<Rollout, 'revision' | 'effective'>>;

/** A change with all that goes with it. */
export interface RolloutMove {
  readonly change: RolloutChange;
  /** What is done, as a step of the cycle that the rollout belongs to afterwards. */
  readonly act?: Pick<CycleAct, 'name' | 'decision' | 'attributes'>;
  /** Told with the change: the stage that it enters, or that it is frozen. */
  readonly stage?: Decision;
  /** What becomes of the versions concerned (I4). */
  readonly states?: readonly OwedState[];
  /** Further events of the same write. */
  readonly emit?: (span: CycleSpan | undefined) => Emission[];
}

/** Earlier states that a rollout's document keeps. */
export const keptHistory = 50;

@Injectable()
export class Rollouts {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly outbox: Outbox,
    private readonly spans: CycleSpans,
  ) {}

  /** The present rollout of a model, or undefined where it is not declared. */
  async find(tenant: string, model: string): Promise<Rollout | undefined> {
    const found = await this.documents.rollouts.findById(`${tenant}/${model}`).lean<RolloutDocument>();
    return found?.rollout ? Rollout.fromJSON(found.rollout) : undefined;
  }

  /** Earlier states, newest first. */
  async history(tenant: string, model: string, limit: number): Promise<Rollout[]> {
    const found = await this.documents.rollouts.findById(`${tenant}/${model}`).lean<RolloutDocument>();
    return (found?.history ?? []).slice(0, limit).map(Rollout.fromJSON);
  }

  /** The first rollout of a model: v0 answers. Again is no change. */
  async begin(cause: Cause, model: string, champion: ServedVersion): Promise<void> {
    const _id = `${cause.tenant}/${model}`;
    const blank = { tenant: cause.tenant, model, revision: 0, rollout: null, history: [] };
    await this.documents.rollouts.updateOne({ _id }, { $setOnInsert: blank }, { upsert: true });
    const rollout = Rollout.fromPartial({ champion, stage: Stage.ENDED, reason: 'declared' });
    await this.set(cause, model, 0, rollout, {});
  }

  /**
   * Moves a rollout from the revision of `before`, with further events in the same write.
   * Resolves to the new state, or undefined where somebody else has moved it first.
   */
  async change(cause: Cause, model: string, before: Rollout, move: RolloutMove): Promise<Rollout | undefined> {
    await this.payStates();
    return this.set(cause, model, before.revision, { ...before, ...move.change }, move, before);
  }

  /** I4: pays what a crash has left owed. */
  async payStates(): Promise<void> {
    const owing = await this.documents.rollouts.find({ 'owed.0': { $exists: true } }).lean<RolloutDocument[]>();
    for (const { _id, revision, owed } of owing) await this.pay(_id, revision, owed!);
  }

  private async pay(_id: string, revision: number, owed: readonly OwedState[]): Promise<void> {
    await this.documents.owe(revision, owed);
    if (owed.length) await this.documents.rollouts.updateOne({ _id, revision }, { $set: { owed: [] } });
  }

  /** Whether who answers or who is on trial has changed since a revision (I3); true where that is no longer known. */
  async movedSince(tenant: string, model: string, before: Rollout, revision: number): Promise<boolean> {
    if (before.revision === revision) return false;
    const since = [before, ...(await this.history(tenant, model, keptHistory))].filter((r) => r.revision >= revision);
    return since.at(-1)?.revision !== revision || since.some((rollout) => !sameVersions(rollout, before));
  }

  private async set(
    cause: Cause,
    model: string,
    expected: number,
    next: Rollout,
    { act, stage, states = [], emit = () => [] }: Partial<RolloutMove>,
    before?: Rollout,
  ): Promise<Rollout | undefined> {
    const { tenant } = cause;
    const effective = new Date(Math.max(cause.time, before?.effective?.getTime() ?? Number.NEGATIVE_INFINITY));
    const rollout: Rollout = { ...next, revision: expected + 1, effective };
    const span = act && this.row(rollout, act, cause);
    const told = RolloutChanged.fromPartial({ tenant, model, rollout, decision: stage, span });
    const keepsJudgement = before !== undefined && sameVersions(before, rollout);
    const update = {
      $set: {
        rollout: Rollout.toJSON(rollout),
        revision: rollout.revision,
        owed: states,
        ...(!keepsJudgement && { judgement: null }),
      },
      ...(before && { $push: { history: { $each: [Rollout.toJSON(before)], $position: 0, $slice: keptHistory } } }),
    };
    const written = await this.outbox.update(
      this.documents.rollouts,
      { _id: `${tenant}/${model}`, revision: expected },
      update as never,
      [emission(events.rolloutChanged, told, cause.time), ...emit(span)],
      { ...cause, id: `${tenant}/${model}/rollout/${rollout.revision}` },
    );
    if (!written) return undefined;
    this.spans.send(span);
    await this.pay(`${tenant}/${model}`, rollout.revision, states);
    return rollout;
  }

  /** Its step is named by the revision: what follows the rollout knows it by that. */
  private row({ cycleId, revision }: Rollout, act: NonNullable<RolloutMove['act']>, { time, traceparent }: Cause) {
    const attributes = { ...act.attributes, 'driftloop.rollout.revision': revision };
    return this.spans.row({
      ...act,
      attributes,
      cycleId,
      step: `rollout/${revision}`,
      eventTime: time,
      links: [traceparent],
    });
  }
}

/** Whether callers are answered by the same versions, in the same stage. */
const sameVersions = (a: Rollout, b: Rollout): boolean =>
  a.champion?.version === b.champion?.version &&
  a.challenger?.version === b.challenger?.version &&
  a.stage === b.stage &&
  a.rolloutId === b.rolloutId;
