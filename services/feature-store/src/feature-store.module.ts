/** The only wiring of the feature store. */
import { FeatureStoreService } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { Module } from '@nestjs/common';
import { Ahead } from './ahead.js';
import { FeatureStoreDocuments } from './feature-store.documents.js';
import { FeatureStoreDoor } from './feature-store.grpc.js';
import { Ingest } from './ingest.js';
import { IngestFile } from './ingest-file.js';
import { Models } from './models.js';
import { Progress } from './progress.js';
import { QuarantinedRows } from './quarantine.documents.js';
import { Quarantine } from './quarantine.js';
import { Reading } from './reading.js';
import { TrainingSets } from './training/training-sets.js';
import { WhenEntitiesObserved } from './when-entities-observed.js';
import { WhenLabelsAdded } from './when-labels-added.js';
import { WhenModelDeclared } from './when-model-declared.js';

@Module({
  controllers: [FeatureStoreDoor, WhenEntitiesObserved, WhenLabelsAdded, WhenModelDeclared],
  providers: [
    ...[FeatureStoreDocuments, QuarantinedRows, Models, Ahead, Ingest, IngestFile, Quarantine, Reading, TrainingSets],
    Progress,
  ],
})
export class FeatureStoreModule {}

export const featureStore: ServiceDefinition = {
  name: 'feature-store',
  module: FeatureStoreModule,
  grpc: { packages: { 'driftloop.v1.FeatureStore': FeatureStoreService }, port: 7002 },
  // What is in memory is of one writer: docs/decisions/0017.
  leads: true,
};
