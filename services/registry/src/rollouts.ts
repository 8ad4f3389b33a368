/**
 * The rollout document: every change is a compare-and-set on its revision, and is told with the change.
 *
 * I1  The champion moves only here, and only from the revision that the mover has read.
 * I2  `effective` never goes back: predictions asked at or after it follow the new state.
 */
import { events, Rollout, RolloutChanged, type ServedVersion, Stage } from '@driftloop/contracts';
import { type Cause, type Emission, emission, Outbox } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { RegistryDocuments, type RolloutDocument } from './registry.documents.js';

/** What changes in a rollout; the rest stays. */
export type RolloutChange = Partial<Omit<Rollout, 'revision' | 'effective'>>;

const keptHistory = 50;

@Injectable()
export class Rollouts {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly outbox: Outbox,
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
    await this.set(cause, model, rollout, 0, () => []);
  }

  /**
   * Moves a rollout from the revision of `before`, with further events in the same write.
   * Resolves to the new state, or undefined where somebody else has moved it first.
   */
  async change(
    cause: Cause,
    model: string,
    before: Rollout,
    change: RolloutChange,
    emit: (after: Rollout) => Emission[] = () => [],
  ): Promise<Rollout | undefined> {
    return this.set(cause, model, { ...before, ...change }, before.revision, emit, before);
  }

  private async set(
    cause: Cause,
    model: string,
    next: Rollout,
    expected: number,
    emit: (after: Rollout) => Emission[],
    before?: Rollout,
  ): Promise<Rollout | undefined> {
    const { tenant } = cause;
    const effective = new Date(Math.max(cause.time, before?.effective?.getTime() ?? Number.NEGATIVE_INFINITY));
    const rollout: Rollout = { ...next, revision: expected + 1, effective };
    const told = emission(events.rolloutChanged, RolloutChanged.fromPartial({ tenant, model, rollout }), cause.time);
    const update = {
      $set: { rollout: Rollout.toJSON(rollout), revision: rollout.revision, judgement: null },
      ...(before && { $push: { history: { $each: [Rollout.toJSON(before)], $position: 0, $slice: keptHistory } } }),
    };
    const written = await this.outbox.update(
      this.documents.rollouts,
      { _id: `${tenant}/${model}`, revision: expected },
      update as never,
      [told, ...emit(rollout)],
      { ...cause, id: `${tenant}/${model}/rollout/${rollout.revision}` },
    );
    return written ? rollout : undefined;
  }
}
