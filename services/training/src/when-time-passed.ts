/** At each tick: tells of the trainings that are due. In a replay it waits for them; live, their result follows. */
import { events, type TimePassed } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Due } from './due.js';

@ConsumerGroup('training.when-time-passed')
export class WhenTimePassed {
  constructor(private readonly due: Due) {}

  @When(events.timePassed)
  async report({ now, replay }: TimePassed, cause: Cause): Promise<void> {
    await this.due.report(now as Date, replay, cause);
  }
}
