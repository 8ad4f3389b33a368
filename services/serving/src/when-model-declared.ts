/** Hears what models there are, each replica for itself. */
import { events, type ModelDeclared } from '@driftloop/contracts';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Following } from './following.js';

@Controller()
export class WhenModelDeclared {
  constructor(private readonly following: Following) {}

  @When(events.modelDeclared, { each: 'replica' })
  async declare({ tenant, model, revision, specJson }: ModelDeclared): Promise<void> {
    await this.following.declare(tenant, model, revision, specJson);
  }
}
