/** Labeling's front door: parse, call, reply; decides nothing. */
import {
  type GetOutcomeReply,
  type GetOutcomeRequest,
  type ListQuarantineReply,
  type ListQuarantineRequest,
  type QuarantineItem,
  RecordOutcomesReply,
  type RecordOutcomesRequest,
  type ResolveQuarantineRequest,
  type WithdrawWatermarkReply,
  type WithdrawWatermarkRequest,
} from '@driftloop/contracts';
import { callerOf, causeOfRequest, WallClock } from '@driftloop/service';
import type { Metadata, ServerReadableStream } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { LabelingDocuments } from './labeling.documents.js';
import { Outcomes } from './outcomes.js';
import { Quarantine } from './quarantine.js';
import { Withdrawal } from './withdrawal.js';

type Stream = ServerReadableStream<RecordOutcomesRequest, RecordOutcomesReply>;
const counted = ['accepted', 'duplicates', 'revised', 'contradictory', 'quarantined'] as const;

type Reply = (error: unknown, reply?: RecordOutcomesReply) => void;

@Controller()
export class LabelingDoor {
  constructor(
    private readonly outcomes: Outcomes,
    private readonly documents: LabelingDocuments,
    private readonly clock: WallClock,
    private readonly quarantine: Quarantine,
    private readonly withdrawal: Withdrawal,
  ) {}

  @GrpcMethod('Labeling', 'RecordOutcomes')
  recordOutcomes(request: RecordOutcomesRequest, metadata: Metadata): Promise<RecordOutcomesReply> {
    const caller = callerOf(metadata);
    return this.outcomes.record(caller.tenant, request, causeOfRequest(caller, request.label, this.clock.now()));
  }

  @GrpcStreamCall('Labeling', 'StreamOutcomes')
  async streamOutcomes(call: Stream, done: Reply) {
    const total = RecordOutcomesReply.fromPartial({});
    let rows = 0;
    try {
      for await (const request of call as AsyncIterable<RecordOutcomesRequest>) {
        const part = await this.recordOutcomes(request, call.metadata);
        for (const key of counted) total[key] += part[key];
        total.rejected.push(...part.rejected.map((row) => ({ ...row, index: row.index + rows })));
        rows += request.outcomes.length;
      }
      done(null, total);
    } catch (error) {
      done(error);
    }
  }

  @GrpcMethod('Labeling', 'ListQuarantine')
  listQuarantine(request: ListQuarantineRequest, metadata: Metadata): Promise<ListQuarantineReply> {
    return this.quarantine.list(callerOf(metadata).tenant, request);
  }

  @GrpcMethod('Labeling', 'ResolveQuarantine')
  resolveQuarantine(request: ResolveQuarantineRequest, metadata: Metadata): Promise<QuarantineItem> {
    const caller = callerOf(metadata);
    return this.quarantine.resolve(caller.tenant, request, (id) => causeOfRequest(caller, id, this.clock.now()));
  }

  @GrpcMethod('Labeling', 'WithdrawWatermark')
  withdrawWatermark(request: WithdrawWatermarkRequest, metadata: Metadata): Promise<WithdrawWatermarkReply> {
    return this.withdrawal.withdraw(callerOf(metadata).tenant, request);
  }

  @GrpcMethod('Labeling', 'GetOutcome')
  async getOutcome(request: GetOutcomeRequest, metadata: Metadata): Promise<GetOutcomeReply> {
    const { tenant } = callerOf(metadata);
    const found = await this.documents.outcomes.find({ label: request.label, entityId: request.entityId }).lean();
    const revisions = found
      .filter((outcome) => outcome._id.startsWith(`${tenant}/`))
      .flatMap(({ entityId, entityTime, revisions }) => revisions.map((r) => ({ entityId, entityTime, ...r })));
    return { revisions: revisions.sort((a, b) => b.knownAt.getTime() - a.knownAt.getTime()) };
  }
}
