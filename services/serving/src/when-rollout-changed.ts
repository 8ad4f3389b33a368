/** Follows the registry's rollouts, each replica for itself. */
import { events, type RolloutChanged } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { errors } from './errors.js';
import { Following } from './following.js';
import { prepare, ServedModels } from './served-models.js';

@ConsumerGroup('serving.when-rollout-changed')
export class WhenRolloutChanged {
  constructor(
    private readonly following: Following,
    private readonly models: ServedModels,
  ) {}

  @When(events.rolloutChanged, { each: 'replica' })
  async follow({ tenant, model, rollout }: RolloutChanged, cause: Cause): Promise<void> {
    const served = this.models.get(tenant, model);
    if (!served && this.models.isSetAside({ tenant, model })) return; // a declaration that takes it back asks for this
    if (!served) throw errors.NOT_READY({ model }); // model.declared is on its way, in another group
    if (!rollout) throw errors.ROLLOUT_INVALID({ model, problem: 'it is empty' });
    await this.following.follow(served, prepare(model, rollout), cause);
  }
}
