/** Hears of candidates: registers them; the gate decides when time passes. */
import { events, type ModelTrained } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { Versions } from './versions.js';

@ConsumerGroup('registry.when-model-trained')
export class WhenModelTrained {
  constructor(private readonly versions: Versions) {}

  @When(events.modelTrained)
  async register(trained: ModelTrained): Promise<void> {
    await this.versions.register(trained);
  }
}
