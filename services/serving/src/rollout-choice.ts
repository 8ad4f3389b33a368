/**
 * Which rollout answers a question: the present one, or the one that held at its event time.
 *
 * I1  Its graphs are loaded, and held until the answer is given.
 * I2  One that cannot be loaded is passed over for the one before it, as it was when it should have taken over. Of the
 *     present one that is told, since another version answers from then on than was followed.
 */
import { Log } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { Following } from './following.js';
import { Graphs } from './graphs.js';
import { rolloutAt, type ServedModel, ServedModels, type ServedRollout } from './served-models.js';

@Injectable()
export class RolloutChoice {
  constructor(
    private readonly models: ServedModels,
    private readonly graphs: Graphs,
    private readonly following: Following,
    private readonly log: Log,
  ) {}

  /** The present rollout, or undefined where that needs more than a look. `release` it. */
  holdPresent({ rollouts }: ServedModel): ServedRollout | undefined {
    const [present] = rollouts;
    return present && this.graphs.hold(present) ? present : undefined;
  }

  /**
   * The rollout that held at an event time (epoch ms; undefined: now), loaded. `release` it. Throws NOT_READY,
   * HISTORY_AWAY (both retriable) or HISTORY_FORGOTTEN.
   */
  async hold(model: ServedModel, time: number | undefined): Promise<ServedRollout> {
    for (;;) {
      const rollout = rolloutAt(model, time) ?? (await this.earlier(model, time));
      if (this.graphs.hold(rollout)) return rollout;
      await this.load(model, rollout);
    }
  }

  /** The champion that should answer in a rollout's place and cannot be loaded; '' where the rollout is the newest. */
  fallbackFor(model: ServedModel, { revision }: ServedRollout): string {
    const lack = this.models.lackOf(model);
    return lack && lack.rollout.revision > revision ? (lack.rollout.rollout.champion?.version ?? '') : '';
  }

  release(rollout: ServedRollout): void {
    this.graphs.release(rollout);
  }

  /** I2 */
  private async load(model: ServedModel, rollout: ServedRollout): Promise<void> {
    try {
      const loaded = await this.graphs.load(model, rollout);
      if (loaded.failures.length) this.models.replace(model, loaded.rollout);
    } catch (error) {
      if ((error as { retriable?: boolean }).retriable) throw error;
      const present = model.rollouts[0] === rollout;
      const facts = { model: model.key, revision: rollout.revision, problem: (error as Error).message };
      this.log.error(facts, 'an earlier rollout cannot be loaded; the one before it answers');
      this.models.forget(model, rollout);
      if (!present) return;
      const { key, tenant } = model;
      const cause = { id: `${key}/lost/${rollout.revision}`, time: rollout.effective, tenant };
      await this.following.tellFailure(model, rollout, error as Error, cause);
    }
  }

  /** What the registry remembers from before this replica's time. */
  private async earlier(model: ServedModel, time: number | undefined): Promise<ServedRollout> {
    const oldest = model.rollouts.at(-1);
    if (!oldest || time === undefined) throw errors.NOT_READY({ model: model.model });
    const reached = await this.following.catchUp(model);
    const found = rolloutAt(model, time);
    if (found) return found;
    const facts = { model: model.model, time: new Date(time).toISOString() };
    if (!reached) throw errors.HISTORY_AWAY(facts);
    throw errors.HISTORY_FORGOTTEN({ ...facts, since: new Date(oldest.effective).toISOString() });
  }
}
