/** Hears that the gate refused a candidate. */
import { events, type ModelRefused } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-model-refused')
export class WhenModelRefused {
  constructor(private readonly facts: Facts) {}

  @When(events.modelRefused)
  async note(fact: ModelRefused, cause: Cause): Promise<void> {
    await this.facts.record(events.modelRefused, fact, cause);
  }
}
