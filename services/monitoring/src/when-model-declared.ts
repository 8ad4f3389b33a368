/** Hears which models there are; a declaration holds whatever its time. */
import { events, type ModelDeclared } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Facts } from './facts.js';

@Controller()
export class WhenModelDeclared {
  constructor(private readonly facts: Facts) {}

  @When(events.modelDeclared)
  async note(fact: ModelDeclared, cause: Cause): Promise<void> {
    await this.facts.record(events.modelDeclared, fact, cause, true);
  }
}
