/** At each tick the registry acts on what it has recorded: the gate, the rollouts. */
import { events, type TimePassed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Promotion } from './promotion.js';
import { Reading } from './reading.js';

@ConsumerGroup('registry.when-time-passed')
export class WhenTimePassed {
  constructor(
    private readonly promotion: Promotion,
    private readonly reading: Reading,
  ) {}

  @When(events.timePassed)
  async decide({ now, previous }: TimePassed, cause: Cause): Promise<void> {
    const time = now!.getTime();
    await this.promotion.tick(previous?.getTime() ?? Number.NEGATIVE_INFINITY, { ...cause, time });
    this.reading.ticked(time);
  }
}
