/** Hears labels: they are rows of the source `outcomes`. */
import { events, type LabelsAdded } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Ingest } from './ingest.js';

@ConsumerGroup('feature-store.when-labels-added')
export class WhenLabelsAdded {
  constructor(private readonly ingest: Ingest) {}

  @When(events.labelsAdded)
  async addLabels(added: LabelsAdded, cause: Cause): Promise<void> {
    await this.ingest.addLabels(added, cause);
  }
}
