/** Hears rows of those outside who prefer Kafka to gRPC: the same as Ingest, with a dead letter for a reply. */
import { type EntitiesObserved, events, LoopError } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { errors } from './errors.js';
import { Ingest } from './ingest.js';

@ConsumerGroup('feature-store.when-entities-observed')
export class WhenEntitiesObserved {
  constructor(private readonly ingest: Ingest) {}

  /**
   * Single rows that are malformed hold up none of the others: those are taken in, and the event becomes a dead letter that
   * lists the bad ones. Given back it adds nothing twice. Throws REPORT_EMPTY, ROWS_REFUSED, REPORT_OF_UNKNOWN_MODEL and
   * what `ingest` does.
   */
  @When(events.entitiesObserved)
  async takeIn(observed: EntitiesObserved, { tenant, traceparent }: Cause): Promise<void> {
    const { model, source, rows, watermark } = observed;
    if (!rows.length && !watermark) throw errors.REPORT_EMPTY({ model, source });
    const causeOf = (id: string, time: number) => ({ id, time, tenant, traceparent });
    const taken = await this.ingest.ingest(tenant, observed, causeOf).catch((error) => {
      throw asFinal(error, model);
    });
    const { rejected, rejectedCount } = taken;
    if (rejectedCount) throw errors.ROWS_REFUSED({ model, source, rows: rows.length, rejected, rejectedCount });
  }
}

/** A caller tries again by himself where a model is not known yet; here that would hold up everybody else's rows for ever. */
function asFinal(error: unknown, model: string): unknown {
  const isUnknown = error instanceof LoopError && error.code === 'UNKNOWN_MODEL';
  return isUnknown ? errors.REPORT_OF_UNKNOWN_MODEL({ model }) : error;
}
