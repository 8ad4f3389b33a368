/** Hears that the gate let a candidate through. */
import { events, type ModelApproved } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Facts } from './facts.js';

@Controller()
export class WhenModelApproved {
  constructor(private readonly facts: Facts) {}

  @When(events.modelApproved)
  async note(fact: ModelApproved, cause: Cause): Promise<void> {
    await this.facts.record(events.modelApproved, fact, cause);
  }
}
