/** Hears how far the sources of features have come. */
import { events, type FeaturesIngested } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { Records } from './records.js';

@ConsumerGroup('monitoring.when-features-ingested')
export class WhenFeaturesIngested {
  constructor(private readonly records: Records) {}

  @When(events.featuresIngested)
  async keep(ingested: FeaturesIngested): Promise<void> {
    await this.records.ingested(ingested);
  }
}
