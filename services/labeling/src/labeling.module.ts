/** The only wiring of labeling. */
import { LabelingService } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { Module } from '@nestjs/common';
import { LabelingDocuments } from './labeling.documents.js';
import { LabelingDoor } from './labeling.grpc.js';
import { Outcomes } from './outcomes.js';
import { Quarantine } from './quarantine.js';
import { WhenModelDeclared } from './when-model-declared.js';
import { WhenOutcomesReported } from './when-outcomes-reported.js';
import { Withdrawal } from './withdrawal.js';

@Module({
  controllers: [LabelingDoor, WhenModelDeclared, WhenOutcomesReported],
  providers: [LabelingDocuments, Outcomes, Quarantine, Withdrawal],
})
export class LabelingModule {}

export const labeling: ServiceDefinition = {
  name: 'labeling',
  module: LabelingModule,
  grpc: { packages: { 'driftloop.v1.Labeling': LabelingService }, port: 7001 },
};
