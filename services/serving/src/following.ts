/**
 * Following the registry, level-triggered: whatever was missed, the highest revision wins.
 *
 * I1  A rollout takes over only when its champion's graph is loaded and its bytes have the declared hash. Another of its
 *     versions that cannot be loaded is left out: the champion answers in its place.
 * I2  One that cannot be loaded as it is is told (rollout.failed) once, and the last good one goes on answering; it is
 *     tried again, and told (rollout.followed) once it can be.
 * I3  What takes over is on disk before it answers: a replica starts with the registry away.
 * I4  A model's changes are followed one at a time.
 */
import { parseModelSpec, shortened } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Log, WallClock } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Graphs } from './graphs.js';
import { servingPoints } from './points.js';
import { Retries } from './retries.js';
import { RolloutHistory } from './rollout-history.js';
import { servesTheSame, type Taking } from './rollout-steps.js';
import { keptRollouts, type ServedModel, ServedModels, type ServedRollout } from './served-models.js';
import { ServingDocuments } from './serving.documents.js';

type Failure = Error & { code?: string; retriable?: boolean; details?: { version?: string } };

@Injectable()
export class Following implements OnApplicationShutdown {
  private readonly turns = new Map<string, Promise<void>>();
  /** The newest revision heard of each model, whether it could be served or not. */
  private readonly heard = new Map<string, number>();
  /** I2 */
  private readonly retries: Retries;

  constructor(
    private readonly models: ServedModels,
    private readonly graphs: Graphs,
    private readonly documents: ServingDocuments,
    private readonly history: RolloutHistory,
    private readonly log: Log,
    private readonly clock: WallClock,
  ) {
    this.retries = new Retries(clock);
  }

  onApplicationShutdown(): void {
    this.retries.stop();
  }

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
    const version = error.details?.version ?? rollout.challenger?.version ?? rollout.champion?.version ?? '';
    const answering = served.rollouts[0]?.rollout.champion?.version ?? '';
    const why = { version, code: error.code ?? 'LOAD_FAILED', reason: shortened(error.message), answering };
    await this.documents.failed(served, rollout, why, cause);
    this.lack(served, failed, version, cause);
  }

  /** The newest rollout cannot be served as it is: that is said with each answer, and it is tried again. */
  private lack(served: ServedModel, rollout: ServedRollout, version: string, cause: Cause): void {
    if ((this.models.lackOf(served)?.rollout.revision ?? 0) > rollout.revision) return;
    this.models.lacking(served, { rollout, version });
    this.retries.soon(served.key, () => this.inTurn(served.key, () => this.again(served, rollout, version, cause)));
  }

  /** Nothing of it is lacking: it is followed, whatever was told before. */
  async heal(served: ServedModel, rollout: ServedRollout, cause: Cause, started: number): Promise<void> {
    const others = served.rollouts.filter(({ revision }) => revision !== rollout.revision);
    const all = [rollout, ...others].sort((a, b) => b.revision - a.revision).map((one) => one.rollout);
    await this.documents.took(served, all, { cause, started, holdOnly: true });
    this.models.replace(served, rollout);
    this.whole(served);
    this.log.info({ model: served.key, revision: rollout.revision }, 'a rollout can be served again');
  }

  private whole(served: ServedModel): void {
    this.models.lacking(served, undefined);
    this.retries.forget(served.key);
  }

  private async again(served: ServedModel, rollout: ServedRollout, version: string, cause: Cause): Promise<void> {
    if (this.models.lackOf(served)?.rollout.revision !== rollout.revision) return;
    const started = this.clock.now();
    try {
      const loaded = await this.graphs.load(served, rollout);
      if (!loaded.failures.length) return await this.heal(served, loaded.rollout, cause, started);
      if (served.rollouts[0]?.revision !== rollout.revision) this.models.replace(served, loaded.rollout);
      this.lack(served, rollout, loaded.failures[0].version, cause);
    } catch (error) {
      this.log.debug({ model: served.key, problem: (error as Error).message }, 'a rollout still cannot be served');
      this.lack(served, rollout, version, cause);
    }
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
      const loaded = await this.graphs.load(served, rollout);
      const holdOnly = servesTheSame(served.rollouts[0]?.rollout, rollout.rollout);
      const [failure] = loaded.failures;
      const taking = failure ? undefined : { cause, started, holdOnly };
      await this.remember(served, [loaded.rollout, ...(missed ?? [])], taking);
      if (failure) await this.tellFailure(served, rollout, failure.error, cause);
      else this.whole(served);
    } catch (error) {
      if ((error as Failure).code !== 'MODEL_CORRUPT') throw error;
      await this.tellFailure(served, rollout, error as Failure, cause);
      this.heard.set(served.key, rollout.revision);
      return;
    }
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
