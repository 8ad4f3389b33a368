/** Hears that the gate let a candidate through. */
import { events, type ModelApproved } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-model-approved')
export class WhenModelApproved {
  constructor(private readonly facts: Facts) {}

  @When(events.modelApproved)
  async note(fact: ModelApproved, cause: Cause): Promise<void> {
    await this.facts.record(events.modelApproved, fact, cause);
  }
}
