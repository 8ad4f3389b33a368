/** Monitoring's front door: parses, asks, replies; decides nothing. */
import type {
  Cycle,
  GetCycleRequest,
  GetStatusRequest,
  Ledger as LedgerMessage,
  ListCyclesReply,
  ListCyclesRequest,
  ModelStatus,
  ReadLedgerRequest,
} from '@driftloop/contracts';
import { callerOf } from '@driftloop/service';
import type { Metadata } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Ledger } from './ledger.js';
import { Reading } from './reading.js';

@Controller()
export class MonitoringDoor {
  constructor(
    private readonly reading: Reading,
    private readonly ledger: Ledger,
  ) {}

  @GrpcMethod('Monitoring', 'GetStatus')
  getStatus({ model }: GetStatusRequest, metadata: Metadata): Promise<ModelStatus> {
    return this.reading.status(callerOf(metadata).tenant, model);
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
  async readLedger({ model }: ReadLedgerRequest, metadata: Metadata): Promise<LedgerMessage> {
    const series = `${callerOf(metadata).tenant}/${model}`;
    await this.reading.declared(series, model);
    return this.ledger.read(series);
  }
}
