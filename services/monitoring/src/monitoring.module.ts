/** The only wiring of monitoring. */
import { MonitoringService } from '@driftloop/contracts';
import type { ServiceDefinition } from '@driftloop/service';
import { Module } from '@nestjs/common';
import { Alarms } from './alarms.js';
import { Breaker } from './breaker.js';
import { Canary } from './canary.js';
import { Checks } from './checks.js';
import { Cycles } from './cycle.js';
import { Days } from './days.documents.js';
import { DriftReports } from './drift-report.js';
import { Explaining } from './explain.js';
import { Facts } from './facts.js';
import { Heard } from './heard.documents.js';
import { Hold } from './hold.js';
import { HoldDocuments } from './holds.documents.js';
import { Judge } from './judge.js';
import { Ledger } from './ledger.js';
import { LoopDocuments } from './loop.documents.js';
import { Loop } from './loop.js';
import { ModelTurn } from './model-turn.js';
import { MonitoringDoor } from './monitoring.grpc.js';
import { MonitoringMetrics } from './monitoring.metrics.js';
import { Policy } from './policy.js';
import { QuarantineDocuments } from './quarantine.documents.js';
import { Quarantine } from './quarantine.js';
import { QuarantineItems } from './quarantine-items.js';
import { Reading } from './reading.js';
import { Records } from './records.js';
import { Rows } from './rows.documents.js';
import { Signals } from './signals.js';
import { Silence } from './silence.js';
import { Told } from './told.js';
import { Trials } from './trials.js';
import { Watch } from './watch.js';
import { WhenFeaturesIngested } from './when-features-ingested.js';
import { WhenLabelsAdded } from './when-labels-added.js';
import { WhenModelApproved } from './when-model-approved.js';
import { WhenModelDeclared } from './when-model-declared.js';
import { WhenModelPromoted } from './when-model-promoted.js';
import { WhenModelRefused } from './when-model-refused.js';
import { WhenModelRolledBack } from './when-model-rolled-back.js';
import { WhenModelTrained } from './when-model-trained.js';
import { WhenPredictionsMade } from './when-predictions-made.js';
import { WhenRolloutChanged } from './when-rollout-changed.js';
import { WhenRolloutFailed } from './when-rollout-failed.js';
import { WhenRolloutFollowed } from './when-rollout-followed.js';
import { WhenTimePassed } from './when-time-passed.js';
import { WhenTrainingFailed } from './when-training-failed.js';

const heard = [
  WhenFeaturesIngested,
  WhenLabelsAdded,
  WhenModelApproved,
  WhenModelDeclared,
  WhenModelPromoted,
  WhenModelRefused,
  WhenModelRolledBack,
  WhenModelTrained,
  WhenPredictionsMade,
  WhenRolloutChanged,
  WhenRolloutFailed,
  WhenRolloutFollowed,
  WhenTimePassed,
  WhenTrainingFailed,
];
const kept = [LoopDocuments, HoldDocuments, QuarantineDocuments, Rows, Days, Heard];
const decided = [
  Watch,
  Quarantine,
  QuarantineItems,
  Signals,
  Alarms,
  Policy,
  Judge,
  Canary,
  Cycles,
  Trials,
  Checks,
  Told,
  Silence,
  Breaker,
  Hold,
  ModelTurn,
  Loop,
];

@Module({
  controllers: [MonitoringDoor, ...heard],
  providers: [...kept, ...decided, Facts, Records, Ledger, Reading, Explaining, DriftReports, MonitoringMetrics],
})
export class MonitoringModule {}

export const monitoring: ServiceDefinition = {
  name: 'monitoring',
  module: MonitoringModule,
  grpc: { packages: { 'driftloop.v1.Monitoring': MonitoringService }, port: 7006 },
  // A tick is one replica's, from the facts it has heard to what it keeps of them: docs/decisions/0017.
  leads: true,
};
