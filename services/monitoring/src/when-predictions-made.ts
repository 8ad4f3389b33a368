/** Hears what was predicted, on what, by whom: rows that wait for their labels. */
import { events, type PredictionsMade } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Records } from './records.js';

@ConsumerGroup('monitoring.when-predictions-made')
export class WhenPredictionsMade {
  constructor(private readonly records: Records) {}

  @When(events.predictionsMade)
  async keep(made: PredictionsMade, cause: Cause): Promise<void> {
    await this.records.predictions(made, cause);
  }
}
