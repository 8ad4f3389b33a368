/** The only wiring of serving. */
import { inference } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { Module } from '@nestjs/common';
import { FeatureReader } from './feature-reader.js';
import { Following } from './following.js';
import { Graphs } from './graphs.js';
import { InferenceDoor } from './inference.grpc.js';
import { Inference } from './inference.js';
import { OnlineStore } from './online-store.js';
import { PredictionLog } from './prediction-log.js';
import { Restoring } from './restoring.js';
import { RolloutChoice } from './rollout-choice.js';
import { RolloutHistory } from './rollout-history.js';
import { Scorer } from './scorer.js';
import { ServedModels } from './served-models.js';
import { ServingDocuments } from './serving.documents.js';
import { ServingMetrics } from './serving.metrics.js';
import { WhenModelDeclared } from './when-model-declared.js';
import { WhenRolloutChanged } from './when-rollout-changed.js';

@Module({
  controllers: [InferenceDoor, WhenModelDeclared, WhenRolloutChanged],
  providers: [
    ServingDocuments,
    ServedModels,
    Scorer,
    Graphs,
    RolloutHistory,
    Following,
    Restoring,
    RolloutChoice,
    OnlineStore,
    FeatureReader,
    PredictionLog,
    Inference,
    ServingMetrics,
  ],
})
export class ServingModule {}

export const serving: ServiceDefinition = {
  name: 'serving',
  module: ServingModule,
  grpc: { packages: { 'inference.GRPCInferenceService': inference.GRPCInferenceServiceService }, port: 8001 },
};
