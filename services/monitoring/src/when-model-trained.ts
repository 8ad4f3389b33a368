/** Hears that a training ended with a candidate. What only the gate needs (slices, single features) is left out. */
import { events, type ModelTrained } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-model-trained')
export class WhenModelTrained {
  constructor(private readonly facts: Facts) {}

  @When(events.modelTrained)
  async note(fact: ModelTrained, cause: Cause): Promise<void> {
    const comparison = fact.comparison && { ...fact.comparison, slices: [], features: [] };
    await this.facts.record(events.modelTrained, { ...fact, comparison, reference: undefined }, cause);
  }
}
