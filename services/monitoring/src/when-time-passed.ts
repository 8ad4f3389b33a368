/** At each tick monitoring decides: the only place where it does. */
import { events, type TimePassed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Loop } from './loop.js';

@Controller()
export class WhenTimePassed {
  constructor(private readonly loop: Loop) {}

  @When(events.timePassed)
  async decide({ now, replay, previous }: TimePassed, cause: Cause): Promise<void> {
    await this.loop.tick({ now: now!.getTime(), replay, previous: previous?.getTime() }, cause);
  }
}
