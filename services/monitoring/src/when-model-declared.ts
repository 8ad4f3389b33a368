/** Hears which models there are; a declaration holds whatever its time. */
import { events, type ModelDeclared } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-model-declared')
export class WhenModelDeclared {
  constructor(private readonly facts: Facts) {}

  @When(events.modelDeclared)
  async note(fact: ModelDeclared, cause: Cause): Promise<void> {
    await this.facts.record(events.modelDeclared, fact, cause, true);
  }
}
