/**
 * Following the registry, level-triggered: whatever was missed, the highest revision wins.
 *
 * I1  A rollout takes over only when each of its graphs is loaded and its bytes have the declared hash.
 * I2  One that cannot be loaded is told (rollout.failed) once, and the last good one goes on answering.
 * I3  What takes over is on disk before it answers: a replica starts with the registry away.
 * I4  A model's changes are followed one at a time.
 */
import { parseModelSpec, shortened } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Log, WallClock } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { Graphs } from './graphs.js';
import { servingPoints } from './points.js';
import { RolloutHistory } from './rollout-history.js';
import { servesTheSame, type Taking } from './rollout-steps.js';
import { keptRollouts, type ServedModel, ServedModels, type ServedRollout } from './served-models.js';
import { ServingDocuments } from './serving.documents.js';

type Failure = Error & { code?: string; retriable?: boolean };

@Injectable()
export class Following {
  private readonly turns = new Map<string, Promise<void>>();
  /** The newest revision heard of each model, whether it could be served or not. */
  private readonly heard = new Map<string, number>();

  constructor(
    private readonly models: ServedModels,
    private readonly graphs: Graphs,
    private readonly documents: ServingDocuments,
    private readonly history: RolloutHistory,
    private readonly log: Log,
    private readonly clock: WallClock,
  ) {}

  /** A model is declared, or its spec has changed. Throws COLUMNS_CHANGED. */
  async declare(tenant: string, model: string, specRevision: number, specJson: string): Promise<void> {
    const spec = parseModelSpec(specJson);
    const isBack = this.models.isSetAside({ tenant, model });
    const served = this.models.declare(tenant, model, specRevision, spec);
    await this.documents.declared(tenant, model, specRevision, specJson);
    if (isBack) await this.catchUp(served);
  }

  /** A rollout has changed: load, check, take over; or tell why not. Throws where a dependency is away (retriable). */
  follow(served: ServedModel, rollout: ServedRollout, cause: Cause): Promise<void> {
    return this.inTurn(served.key, () => this.advance(served, rollout, cause));
  }

  /** Asks the registry what was missed; false where it cannot be reached. */
  async catchUp(served: ServedModel): Promise<boolean> {
    const told = await this.history.recall(served);
    if (!told?.length) return told !== undefined;
    const [newest, ...earlier] = told;
    const id = `${served.key}/recalled/${newest.revision}`;
    const cause = { id, time: newest.effective, tenant: served.tenant };
    await this.inTurn(served.key, async () => {
      await this.advance(served, newest, cause, earlier);
      const [present] = served.rollouts;
      if (present) await this.remember(served, [present, ...earlier]);
    });
    return true;
  }

  /** I2. Rethrows where a dependency is away. */
  async tellFailure(served: ServedModel, failed: ServedRollout, error: Failure, cause: Cause): Promise<void> {
    if (error.retriable) throw error;
    const { rollout, revision } = failed;
    this.log.error({ model: served.key, revision, problem: error.message }, 'a rollout cannot be served');
    const version = rollout.challenger?.version ?? rollout.champion?.version ?? '';
    const answering = served.rollouts[0]?.rollout.champion?.version ?? '';
    const why = { version, code: error.code ?? 'LOAD_FAILED', reason: shortened(error.message), answering };
    await this.documents.failed(served, rollout, why, cause);
  }

  private async advance(
    served: ServedModel,
    rollout: ServedRollout,
    cause: Cause,
    told?: ServedRollout[],
  ): Promise<void> {
    const known = served.rollouts[0]?.revision ?? 0;
    if (known >= rollout.revision) return;
    const gap = Math.max(known, this.heard.get(served.key) ?? 0) + 1 < rollout.revision;
    const started = this.clock.now();
    const missed = told ?? (gap ? await this.history.recall(served) : undefined);
    try {
      await this.graphs.load(served, rollout);
    } catch (error) {
      await this.tellFailure(served, rollout, error as Failure, cause);
      this.heard.set(served.key, rollout.revision);
      return;
    }
    const holdOnly = servesTheSame(served.rollouts[0]?.rollout, rollout.rollout);
    await this.remember(served, [rollout, ...(missed ?? [])], { cause, started, holdOnly });
    await this.dropUnused();
  }

  /** I3. The first is loaded; earlier ones, for questions about their time, when somebody asks. */
  private async remember(
    served: ServedModel,
    [newest, ...earlier]: readonly ServedRollout[],
    taking?: Taking,
  ): Promise<void> {
    const known = new Set(served.rollouts.map(({ revision }) => revision));
    const told = [newest, ...earlier.filter(({ revision }) => revision < newest.revision)];
    const fresh = told.filter(({ revision }) => !known.has(revision));
    if (!fresh.length) return;
    const all = [...fresh, ...served.rollouts].sort((a, b) => b.revision - a.revision).slice(0, keptRollouts);
    servingPoints.beforeSwap.publish(served.key);
    const rollouts = all.map(({ rollout }) => rollout);
    if (taking) await this.documents.took(served, rollouts, taking);
    else await this.documents.followed(served, rollouts);
    for (const rollout of fresh) this.models.remember(served, rollout);
    servingPoints.afterSwap.publish(served.key);
  }

  /** The graphs of the newest two rollouts stay loaded; those of an earlier one come back when a replay asks for it. */
  private async dropUnused(): Promise<void> {
    const wanted = this.models.all().flatMap(({ rollouts }) => rollouts.slice(0, 2).flatMap(({ keys }) => keys));
    await this.graphs.keepOnly(new Set(wanted));
  }

  /** I4 */
  private inTurn(key: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.turns.get(key) ?? Promise.resolve()).then(work);
    this.turns.set(
      key,
      turn.catch(() => {}),
    );
    return turn;
  }
}
