/** Hears what came true: labels, late, revised, repeated; also of what nobody asked about. */
import { events, type LabelsAdded } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { ConsumerGroup, When } from '@driftloop/service';
import { Records } from './records.js';

@ConsumerGroup('monitoring.when-labels-added')
export class WhenLabelsAdded {
  constructor(private readonly records: Records) {}

  @When(events.labelsAdded)
  async keep(added: LabelsAdded, cause: Cause): Promise<void> {
    await this.records.labels(added, cause);
  }
}
