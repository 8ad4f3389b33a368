/** Hears how far the sources of features have come. */
import { events, type FeaturesIngested } from '@driftloop/contracts';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Records } from './records.js';

@Controller()
export class WhenFeaturesIngested {
  constructor(private readonly records: Records) {}

  @When(events.featuresIngested)
  async keep(ingested: FeaturesIngested): Promise<void> {
    await this.records.ingested(ingested);
  }
}
