/** The only wiring of training. */
import { TrainingService } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { Module } from '@nestjs/common';
import { Due } from './due.js';
import { JobTimes } from './job-times.js';
import { Jobs } from './jobs.js';
import { Runner } from './runner.js';
import { Simulations } from './simulation/simulations.js';
import { TrainingDocuments } from './training.documents.js';
import { TrainingDoor } from './training.grpc.js';
import { TrainingMetrics } from './training.metrics.js';
import { TrainingRun } from './training-run.js';
import { WhenModelDeclared } from './when-model-declared.js';
import { WhenRetrainingRequested } from './when-retraining-requested.js';
import { WhenTimePassed } from './when-time-passed.js';

@Module({
  controllers: [TrainingDoor, WhenModelDeclared, WhenRetrainingRequested, WhenTimePassed],
  providers: [TrainingDocuments, JobTimes, Jobs, TrainingRun, Runner, TrainingMetrics, Due, Simulations],
})
export class TrainingModule {}

export const training: ServiceDefinition = {
  name: 'training',
  module: TrainingModule,
  grpc: { packages: { 'driftloop.v1.Training': TrainingService }, port: 7003 },
};
