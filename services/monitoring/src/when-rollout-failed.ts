/** Hears that a replica cannot serve what is on trial. */
import { events, type RolloutFailed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Facts } from './facts.js';

@Controller()
export class WhenRolloutFailed {
  constructor(private readonly facts: Facts) {}

  @When(events.rolloutFailed)
  async note(fact: RolloutFailed, cause: Cause): Promise<void> {
    await this.facts.record(events.rolloutFailed, fact, cause);
  }
}
