/** Monitoring's front door: parses, asks, replies; decides nothing. */
import type {
  Cycle,
  CycleExplanation,
  DriftReport,
  GetCycleRequest,
  GetDriftRequest,
  GetStatusRequest,
  Ledger as LedgerMessage,
  ListCyclesReply,
  ListCyclesRequest,
  ListQuarantineReply,
  ListQuarantineRequest,
  ModelStatus,
  PauseRequest,
  QuarantineItem,
  ReadLedgerRequest,
  ResolveQuarantineRequest,
} from '@driftloop/contracts';
import { callerName, callerOf } from '@driftloop/service';
import type { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { DriftReports } from './drift-report.js';
import { Explaining } from './explain.js';
import { Hold } from './hold.js';
import { Ledger } from './ledger.js';
import { QuarantineItems } from './quarantine-items.js';
import { Reading } from './reading.js';

@Controller()
export class MonitoringDoor {
  constructor(
    private readonly reading: Reading,
    private readonly ledger: Ledger,
    private readonly hold: Hold,
    private readonly explaining: Explaining,
    private readonly quarantined: QuarantineItems,
    private readonly drift: DriftReports,
  ) {}

  @GrpcMethod('Monitoring', 'GetStatus')
  getStatus({ model }: GetStatusRequest, metadata: Metadata): Promise<ModelStatus> {
    return this.reading.status(callerOf(metadata).tenant, model);
  }

  @GrpcMethod('Monitoring', 'GetDrift')
  getDrift({ model, limit }: GetDriftRequest, metadata: Metadata): Promise<DriftReport> {
    return this.drift.of(callerOf(metadata).tenant, model, limit);
  }

  @GrpcMethod('Monitoring', 'Pause')
  async pause(request: PauseRequest, metadata: Metadata): Promise<ModelStatus> {
    const caller = callerOf(metadata);
    const series = `${caller.tenant}/${request.model}`;
    const breakerOpen = await this.reading.isBroken(series, request.model);
    await this.hold.say(series, request, callerName(caller), breakerOpen);
    return this.reading.status(caller.tenant, request.model);
  }

  @GrpcMethod('Monitoring', 'ListQuarantine')
  listQuarantine(request: ListQuarantineRequest, metadata: Metadata): Promise<ListQuarantineReply> {
    return this.quarantined.list(callerOf(metadata).tenant, request);
  }

  @GrpcMethod('Monitoring', 'ResolveQuarantine')
  resolveQuarantine(request: ResolveQuarantineRequest, metadata: Metadata): Promise<QuarantineItem> {
    const caller = callerOf(metadata);
    return this.quarantined.resolve(caller.tenant, request, callerName(caller));
  }

  @GrpcMethod('Monitoring', 'ExplainCycle')
  explainCycle({ cycleId }: GetCycleRequest, metadata: Metadata): Promise<CycleExplanation> {
    return this.explaining.explain(callerOf(metadata).tenant, cycleId);
  }

  @GrpcMethod('Monitoring', 'ListCycles')
  async listCycles({ model }: ListCyclesRequest, metadata: Metadata): Promise<ListCyclesReply> {
    return { cycles: await this.reading.cycles(callerOf(metadata).tenant, model) };
  }

  @GrpcMethod('Monitoring', 'GetCycle')
  getCycle({ cycleId }: GetCycleRequest, metadata: Metadata): Promise<Cycle> {
    return this.reading.cycle(callerOf(metadata).tenant, cycleId);
  }

  @GrpcMethod('Monitoring', 'ReadLedger')
  async readLedger({ model, after, limit }: ReadLedgerRequest, metadata: Metadata): Promise<LedgerMessage> {
    const series = `${callerOf(metadata).tenant}/${model}`;
    await this.reading.declared(series, model);
    return this.ledger.read(series, { after: Math.max(0, after), limit });
  }
}
