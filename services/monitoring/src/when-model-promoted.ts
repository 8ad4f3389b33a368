/** Hears that the champion alias moved, and what the new champion was trained on. */
import { events, type ModelPromoted } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Facts } from './facts.js';

@Controller()
export class WhenModelPromoted {
  constructor(private readonly facts: Facts) {}

  @When(events.modelPromoted)
  async note(fact: ModelPromoted, cause: Cause): Promise<void> {
    await this.facts.record(events.modelPromoted, fact, cause);
  }
}
