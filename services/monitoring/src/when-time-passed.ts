/** At each tick monitoring decides: the only place where it does. */
import { events, type TimePassed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Loop } from './loop.js';

@ConsumerGroup('monitoring.when-time-passed')
export class WhenTimePassed {
  constructor(private readonly loop: Loop) {}

  @When(events.timePassed)
  async decide({ now, replay, previous }: TimePassed, cause: Cause): Promise<void> {
    await this.loop.tick({ now: now!.getTime(), replay, previous: previous?.getTime() }, cause);
  }
}
