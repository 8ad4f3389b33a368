/** The only wiring of the registry. */
import { RegistryService } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { Module } from '@nestjs/common';
import { Aliases } from './aliases.js';
import { Commands } from './commands.js';
import { Declarations } from './declare.js';
import { GateTurn } from './gate-turn.js';
import { Promotion } from './promotion.js';
import { Reading } from './reading.js';
import { RegistryDocuments } from './registry.documents.js';
import { RegistryDoor } from './registry.grpc.js';
import { Rollouts } from './rollouts.js';
import { Versions } from './versions.js';
import { WhenModelTrained } from './when-model-trained.js';
import { WhenRolloutJudged } from './when-rollout-judged.js';
import { WhenTimePassed } from './when-time-passed.js';

@Module({
  controllers: [RegistryDoor, WhenModelTrained, WhenRolloutJudged, WhenTimePassed],
  providers: [RegistryDocuments, Versions, Rollouts, Declarations, GateTurn, Aliases, Promotion, Commands, Reading],
})
export class RegistryModule {}

export const registry: ServiceDefinition = {
  name: 'registry',
  module: RegistryModule,
  grpc: { packages: { 'driftloop.v1.Registry': RegistryService }, port: 7004 },
};
