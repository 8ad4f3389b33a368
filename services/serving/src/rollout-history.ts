/**
 * The registry's memory of a model's rollouts: a compacted topic tells the newest only, and a replica that is new or was
 * away asks for those before it. Without the registry it goes on with what it knows.
 */
import { RegistryClient } from '@driftloop/contracts';
import { Addresses, call, Log } from '@driftloop/service';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { keptRollouts, prepare, type ServedModel, type ServedRollout } from './served-models.js';

/** Wall ms: a replica that starts beside the registry need not wait long, one that starts without it does not either. */
const deadlineMs = 1000;

@Injectable()
export class RolloutHistory implements OnApplicationShutdown {
  private client: RegistryClient | undefined;

  constructor(
    private readonly addresses: Addresses,
    private readonly log: Log,
  ) {}

  onApplicationShutdown(): void {
    this.client?.close();
  }

  /** A model's rollouts as the registry has them, newest first; undefined where it cannot be reached. */
  async recall({ tenant, model }: ServedModel): Promise<ServedRollout[] | undefined> {
    try {
      this.client ??= this.addresses.client(RegistryClient, 'registry');
      const reply = await call(this.client, 'getRollout', { model, history: keptRollouts }, { deadlineMs });
      if (reply.tenant !== tenant) return [];
      return [...(reply.rollout ? [reply.rollout] : []), ...reply.history].map((rollout) => prepare(model, rollout));
    } catch (error) {
      this.log.info({ model, reason: (error as Error).message }, 'the registry was not asked for earlier rollouts');
      return undefined;
    }
  }
}
