/** Hears that a challenger was withdrawn. */
import { events, type ModelRolledBack } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-model-rolled-back')
export class WhenModelRolledBack {
  constructor(private readonly facts: Facts) {}

  @When(events.modelRolledBack)
  async note(fact: ModelRolledBack, cause: Cause): Promise<void> {
    await this.facts.record(events.modelRolledBack, fact, cause);
  }
}
