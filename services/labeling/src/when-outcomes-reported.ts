/** Hears outcomes of those outside who prefer Kafka to gRPC: the same as RecordOutcomes, with a dead letter for a reply. */
import { events, type OutcomesReported } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { errors } from './errors.js';
import { Outcomes } from './outcomes.js';

@ConsumerGroup('labeling.when-outcomes-reported')
export class WhenOutcomesReported {
  constructor(private readonly outcomes: Outcomes) {}

  /**
   * Single outcomes that are malformed hold up none of the others: those are recorded, and the event becomes a dead letter
   * that lists the bad ones. Given back it adds nothing twice. Throws REPORT_EMPTY, OUTCOMES_REFUSED and what `record` does.
   */
  @When(events.outcomesReported)
  async record(reported: OutcomesReported, cause: Cause): Promise<void> {
    const { label, outcomes, watermark } = reported;
    if (!outcomes.length && !watermark) throw errors.REPORT_EMPTY({ label });
    const { rejected } = await this.outcomes.record(cause.tenant, reported, cause);
    if (rejected.length) throw errors.OUTCOMES_REFUSED({ label, outcomes: outcomes.length, rejected });
  }
}
