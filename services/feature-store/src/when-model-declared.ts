/** Hears which features models declare. */
import { events, type ModelDeclared } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { Models } from './models.js';

@ConsumerGroup('feature-store.when-model-declared')
export class WhenModelDeclared {
  constructor(private readonly models: Models) {}

  @When(events.modelDeclared)
  async follow(declared: ModelDeclared): Promise<void> {
    await this.models.declare(declared);
  }
}
