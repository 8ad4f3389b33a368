/** Hears of candidates: registers them; the gate decides when time passes. */
import { events, type ModelTrained } from '@driftloop/contracts';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Versions } from './versions.js';

@Controller()
export class WhenModelTrained {
  constructor(private readonly versions: Versions) {}

  @When(events.modelTrained)
  async register(trained: ModelTrained): Promise<void> {
    await this.versions.register(trained);
  }
}
