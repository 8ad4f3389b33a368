/** Hears who answers, who is on trial and who watches, from when on. A model's first rollout holds whatever its time. */
import { events, type RolloutChanged } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-rollout-changed')
export class WhenRolloutChanged {
  constructor(private readonly facts: Facts) {}

  @When(events.rolloutChanged)
  async note(fact: RolloutChanged, cause: Cause): Promise<void> {
    await this.facts.record(events.rolloutChanged, fact, cause, fact.rollout?.revision === 1);
  }
}
