/** Hears which features models declare. */
import { events, type ModelDeclared } from '@driftloop/contracts';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Models } from './models.js';

@Controller()
export class WhenModelDeclared {
  constructor(private readonly models: Models) {}

  @When(events.modelDeclared)
  async follow(declared: ModelDeclared): Promise<void> {
    await this.models.declare(declared);
  }
}
