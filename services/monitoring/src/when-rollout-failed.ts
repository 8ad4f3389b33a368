/** Hears that a replica cannot serve what is on trial. */
import { events, type RolloutFailed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-rollout-failed')
export class WhenRolloutFailed {
  constructor(private readonly facts: Facts) {}

  @When(events.rolloutFailed)
  async note(fact: RolloutFailed, cause: Cause): Promise<void> {
    await this.facts.record(events.rolloutFailed, fact, cause);
  }
}
