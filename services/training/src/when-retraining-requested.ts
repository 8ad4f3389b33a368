/** A cycle asks for a training: it becomes a job, acknowledged at once; workers do the rest. */
import { events, type RetrainingRequested } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Jobs } from './jobs.js';

@ConsumerGroup('training.when-retraining-requested')
export class WhenRetrainingRequested {
  constructor(private readonly jobs: Jobs) {}

  @When(events.retrainingRequested)
  async queue(request: RetrainingRequested, cause: Cause): Promise<void> {
    await this.jobs.queue(request, cause.traceparent);
  }
}
