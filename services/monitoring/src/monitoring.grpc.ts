/** Monitoring's front door: parses, asks, replies; decides nothing. */
import type {
  Cycle,
  GetCycleRequest,
  GetStatusRequest,
  Ledger as LedgerMessage,
  ListCyclesReply,
  ListCyclesRequest,
  ModelStatus,
  PauseRequest,
  ReadLedgerRequest,
} from '@driftloop/contracts';
import { callerName, callerOf } from '@driftloop/service';
import type { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Hold } from './hold.js';
import { Ledger } from './ledger.js';
import { Reading } from './reading.js';

@Controller()
export class MonitoringDoor {
  constructor(
    private readonly reading: Reading,
    private readonly ledger: Ledger,
    private readonly hold: Hold,
  ) {}

  @GrpcMethod('Monitoring', 'GetStatus')
  getStatus({ model }: GetStatusRequest, metadata: Metadata): Promise<ModelStatus> {
    return this.reading.status(callerOf(metadata).tenant, model);
  }

  @GrpcMethod('Monitoring', 'Pause')
  async pause(request: PauseRequest, metadata: Metadata): Promise<ModelStatus> {
    const caller = callerOf(metadata);
    const series = `${caller.tenant}/${request.model}`;
    const breakerOpen = await this.reading.isBroken(series, request.model);
    await this.hold.say(series, request, callerName(caller), breakerOpen);
    return this.reading.status(caller.tenant, request.model);
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
