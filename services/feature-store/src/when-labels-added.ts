/** Hears labels: they are rows of the source `outcomes`. */
import { events, type LabelsAdded } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { When } from '@driftloop/service';
import { Controller } from '@nestjs/common';
import { Ingest } from './ingest.js';

@Controller()
export class WhenLabelsAdded {
  constructor(private readonly ingest: Ingest) {}

  @When(events.labelsAdded)
  async addLabels(added: LabelsAdded, cause: Cause): Promise<void> {
    await this.ingest.addLabels(added, cause);
  }
}
