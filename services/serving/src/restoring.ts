/**
 * Back to the last good state at start, from this replica's own documents (a new replica's: from those of the others), then
 * up to date from the registry.
 *
 * I1  The newest remembered rollout that can be loaded answers; one that cannot is passed over, aloud, and told of once it
 *     is known who answers in its place.
 * I2  An object store that is away is waited for beside the start; until then the service is not ready.
 * I3  A model whose documents cannot be read is set aside aloud, and the others are restored; a declaration takes it back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRetriable, parseModelSpec, Rollout } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Isolation, Log, WallClock } from '@driftloop/service';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Following } from './following.js';
import { Graphs } from './graphs.js';
import { opening, prepare, type ServedModel, ServedModels, type ServedRollout } from './served-models.js';
import { type ServedModelDocument, ServingDocuments } from './serving.documents.js';

const retryMs = 1000;
const passedOver = 'a remembered rollout cannot be served; the one before it answers';

/** What a replica remembers of a model, newest first. */
interface Known {
  readonly remembered: readonly ServedRollout[];
  readonly learned: boolean;
  /** The revision that it has told it cannot serve. */
  readonly failedRevision: number | null | undefined;
}

/** The newest rollout, where it cannot be served as it is. */
interface Spoiled {
  readonly rollout: ServedRollout;
  readonly error: Error;
}

@Injectable()
export class Restoring implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stopping = new AbortController();

  constructor(
    private readonly models: ServedModels,
    private readonly graphs: Graphs,
    private readonly documents: ServingDocuments,
    private readonly following: Following,
    private readonly log: Log,
    private readonly clock: WallClock,
    private readonly isolation: Isolation,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    for (const document of await this.documents.own()) await this.guarded(document, () => this.restore(document));
    for (const document of await this.documents.others()) await this.guarded(document, () => this.learn(document));
  }

  /** I3 */
  private async guarded(document: ServedModelDocument, restore: () => Promise<void>): Promise<void> {
    if (!(await this.isolation.guard(document, opening, restore))) this.models.drop(document);
  }

  /** Opened before it is remembered as one's own. */
  private async learn(document: ServedModelDocument): Promise<void> {
    const { tenant, model, specRevision, specJson } = document;
    if (!specJson) return;
    parseModelSpec(specJson);
    await this.documents.declared(tenant, model, specRevision, specJson);
    await this.restore(document, true);
  }

  /** `learned`: from another replica; what is followed of it is remembered and told as one's own. */
  private async restore(document: ServedModelDocument, learned = false) {
    const { tenant, model, specRevision, specJson, failedRevision } = document;
    if (!specJson) return;
    const served = this.models.declare(tenant, model, specRevision, parseModelSpec(specJson));
    this.models.awaited(served);
    const remembered = rolloutsOf(document, learned).map((rollout) => prepare(model, rollout));
    const known = { remembered, learned, failedRevision };
    const loaded = await this.tryOnce(served, known);
    void (loaded ? this.catchUp(served) : this.tryOn(served, known));
  }

  onApplicationShutdown(): void {
    this.stopping.abort();
  }

  /** I1. False where the object store is away. */
  private async tryOnce(served: ServedModel, { remembered, learned, failedRevision }: Known): Promise<boolean> {
    let spoiled: Spoiled | undefined;
    for (const [i, rollout] of remembered.entries()) {
      const started = this.clock.now();
      try {
        const loaded = await this.graphs.load(served, rollout);
        const rest = [loaded.rollout, ...remembered.slice(i + 1)];
        if (learned) await this.tell(served, rest, started);
        for (const known of rest) this.models.remember(served, known);
        const [failure] = loaded.failures;
        if (failure) spoiled ??= { rollout, error: failure.error };
        if (!spoiled && !learned && failedRevision === rollout.revision)
          await this.following.heal(served, rollout, causeOf(served, rollout), started);
        break;
      } catch (error) {
        if (isRetriable(error)) return this.waitFor(served, rollout, error as Error);
        this.log.error(
          { model: served.key, revision: rollout.revision, problem: (error as Error).message },
          passedOver,
        );
        spoiled ??= { rollout, error: error as Error };
      }
    }
    if (spoiled)
      await this.following.tellFailure(served, spoiled.rollout, spoiled.error, causeOf(served, spoiled.rollout));
    return true;
  }

  private tell(served: ServedModel, followed: readonly ServedRollout[], started: number): Promise<void> {
    const cause = { id: served.key, time: followed[0].effective, tenant: served.tenant };
    const rollouts = followed.map(({ rollout }) => rollout);
    // It takes part in no cycle's step: those of the cycle were heard by the replicas of then.
    return this.documents.took(served, rollouts, { cause, started, holdOnly: true });
  }

  private waitFor({ key: model }: ServedModel, { revision }: ServedRollout, { message: problem }: Error): false {
    this.log.warn({ model, revision, problem }, 'a remembered rollout waits for its graphs');
    return false;
  }

  private async tryOn(served: ServedModel, known: Known): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && !served.rollouts.length) {
      await sleep(retryMs, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted && (await this.tryOnce(served, known))) return this.catchUp(served);
    }
  }

  private async catchUp(served: ServedModel): Promise<void> {
    await this.following.catchUp(served).catch((error: Error) => {
      this.log.warn({ model: served.key, problem: error.message }, 'what was missed could not be followed yet');
    });
  }
}

/** Newest first; the one that this replica could not serve is tried again. */
function rolloutsOf({ rollouts, failedRollout }: ServedModelDocument, learned: boolean): Rollout[] {
  const followed = rollouts.map((json) => Rollout.fromJSON(json));
  const failed = failedRollout && !learned ? Rollout.fromJSON(failedRollout) : undefined;
  return failed && failed.revision > (followed[0]?.revision ?? 0) ? [failed, ...followed] : followed;
}

const causeOf = ({ key, tenant }: ServedModel, { revision, effective }: ServedRollout): Cause => ({
  id: `${key}/restored/${revision}`,
  time: effective,
  tenant,
});
