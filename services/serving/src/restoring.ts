/**
 * Back to the last good state at start, from this replica's own documents (a new replica's: from those of the others), then
 * up to date from the registry.
 *
 * I1  The newest remembered rollout that can be loaded answers; one that cannot is passed over, aloud.
 * I3  A model whose documents cannot be read is set aside aloud, and the others are restored; a declaration takes it back.
 * I2  An object store that is away is waited for beside the start; until then the service is not ready.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseModelSpec, Rollout } from '@driftloop/contracts';
import { Isolation, Log, WallClock } from '@driftloop/service';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Following } from './following.js';
import { Graphs } from './graphs.js';
import { opening, prepare, type ServedModel, ServedModels, type ServedRollout } from './served-models.js';
import { type ServedModelDocument, ServingDocuments } from './serving.documents.js';

const retryMs = 1000;

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
  private async restore({ tenant, model, specRevision, specJson, rollouts }: ServedModelDocument, learned = false) {
    if (!specJson) return;
    const served = this.models.declare(tenant, model, specRevision, parseModelSpec(specJson));
    const remembered = rollouts.map((json) => prepare(model, Rollout.fromJSON(json)));
    const loaded = await this.tryOnce(served, remembered, learned);
    void (loaded ? this.catchUp(served) : this.tryOn(served, remembered, learned));
  }

  onApplicationShutdown(): void {
    this.stopping.abort();
  }

  /** False where the object store is away. */
  private async tryOnce(served: ServedModel, remembered: ServedRollout[], learned: boolean): Promise<boolean> {
    for (const [i, rollout] of remembered.entries()) {
      const started = this.clock.now();
      try {
        await this.graphs.load(served, rollout);
        if (learned) await this.tell(served, remembered.slice(i), started);
        for (const known of remembered.slice(i)) this.models.remember(served, known);
        return true;
      } catch (error) {
        if (await this.isAway(served, rollout, error as Error)) return false;
      }
    }
    return true;
  }

  private tell(served: ServedModel, followed: ServedRollout[], started: number): Promise<void> {
    const cause = { id: served.key, time: followed[0].effective, tenant: served.tenant };
    const rollouts = followed.map(({ rollout }) => rollout);
    // It takes part in no cycle's step: those of the cycle were heard by the replicas of then.
    return this.documents.took(served, rollouts, { cause, started, holdOnly: true });
  }

  /** A graph that cannot be loaded is told of; an object store that is away is waited for. */
  private async isAway(served: ServedModel, rollout: ServedRollout, error: Error): Promise<boolean> {
    const { key, tenant } = served;
    const cause = { id: `${key}/restored/${rollout.revision}`, time: rollout.effective, tenant };
    try {
      await this.following.tellFailure(served, rollout, error, cause);
      return false;
    } catch (away) {
      const facts = { model: key, revision: rollout.revision, problem: (away as Error).message };
      this.log.warn(facts, 'a remembered rollout waits for its graphs');
      return true;
    }
  }

  private async tryOn(served: ServedModel, remembered: ServedRollout[], learned: boolean): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted && !served.rollouts.length) {
      await sleep(retryMs, undefined, { signal, ref: false }).catch(() => {});
      if (!signal.aborted && (await this.tryOnce(served, remembered, learned))) return this.catchUp(served);
    }
  }

  private async catchUp(served: ServedModel): Promise<void> {
    await this.following.catchUp(served).catch((error: Error) => {
      this.log.warn({ model: served.key, problem: error.message }, 'what was missed could not be followed yet');
    });
  }
}
