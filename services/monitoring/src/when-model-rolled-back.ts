/** Hears that a challenger was withdrawn. */
import { events, type ModelRolledBack } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Facts } from './facts.js';

@Controller()
export class WhenModelRolledBack {
  constructor(private readonly facts: Facts) {}

  @When(events.modelRolledBack)
  async note(fact: ModelRolledBack, cause: Cause): Promise<void> {
    await this.facts.record(events.modelRolledBack, fact, cause);
  }
}
