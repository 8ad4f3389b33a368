/** Hears that a replica serves a revision of the rollout. */
import { events, type RolloutFollowed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-rollout-followed')
export class WhenRolloutFollowed {
  constructor(private readonly facts: Facts) {}

  @When(events.rolloutFollowed)
  async note(fact: RolloutFollowed, cause: Cause): Promise<void> {
    await this.facts.record(events.rolloutFollowed, fact, cause);
  }
}
