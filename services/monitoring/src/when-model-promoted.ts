/** Hears that the champion alias moved, and what the new champion was trained on. */
import { events, type ModelPromoted } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-model-promoted')
export class WhenModelPromoted {
  constructor(private readonly facts: Facts) {}

  @When(events.modelPromoted)
  async note(fact: ModelPromoted, cause: Cause): Promise<void> {
    await this.facts.record(events.modelPromoted, fact, cause);
  }
}
