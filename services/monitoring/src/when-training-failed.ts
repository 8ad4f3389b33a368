/** Hears that a training ended without a candidate. */
import { events, type TrainingFailed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Facts } from './facts.js';

@ConsumerGroup('monitoring.when-training-failed')
export class WhenTrainingFailed {
  constructor(private readonly facts: Facts) {}

  @When(events.trainingFailed)
  async note(fact: TrainingFailed, cause: Cause): Promise<void> {
    await this.facts.record(events.trainingFailed, fact, cause);
  }
}
