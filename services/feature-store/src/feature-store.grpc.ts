/** The feature store's front door: parse, call, reply; decides nothing. */
import type {
  BuildTrainingSetRequest,
  IngestFileRequest,
  IngestReply,
  IngestRequest,
  ListQuarantineReply,
  ListQuarantineRequest,
  ListWatermarksReply,
  ListWatermarksRequest,
  QuarantineItem,
  ReadOnlineReply,
  ReadOnlineRequest,
  ResolveQuarantineRequest,
  SourceWatermark,
  TrainingSet,
  WithdrawWatermarkRequest,
} from '@driftloop/contracts';
import { abandonment, type CycleAct, CycleSpans, callerOf, causeOfRequest } from '@driftloop/service';
import type { Metadata, ServerDuplexStream, ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { Ingest } from './ingest.js';
import { IngestFile } from './ingest-file.js';
import { Progress } from './progress.js';
import { Quarantine } from './quarantine.js';
import { Reading } from './reading.js';
import { TrainingSets } from './training/training-sets.js';

@Controller()
export class FeatureStoreDoor {
  constructor(
    private readonly ingest: Ingest,
    private readonly files: IngestFile,
    private readonly reading: Reading,
    private readonly trainingSets: TrainingSets,
    private readonly quarantine: Quarantine,
    private readonly progress: Progress,
    private readonly spans: CycleSpans,
  ) {}

  /** One batch at a time is taken from the stream, so that a fast sender waits; each is acknowledged in order. */
  @GrpcStreamCall('FeatureStore', 'Ingest')
  async ingestBatches(call: ServerDuplexStream<IngestRequest, IngestReply>): Promise<void> {
    const caller = callerOf(call.metadata);
    try {
      // A loop that ends early would destroy the stream, and its caller would wait for a status that never comes.
      for await (const request of call.iterator({ destroyOnReturn: false }) as AsyncIterable<IngestRequest>) {
        const reply = await this.ingest.ingest(caller.tenant, request, (id, ms) => causeOfRequest(caller, id, ms));
        if (!call.write(reply)) await drained(call);
      }
      call.end();
    } catch (error) {
      call.emit('error', error);
    }
  }

  @GrpcStreamCall('FeatureStore', 'IngestFile')
  async ingestFile(
    call: ServerReadableStream<IngestFileRequest, IngestReply>,
    done: (error: unknown, reply?: IngestReply) => void,
  ): Promise<void> {
    const caller = callerOf(call.metadata);
    try {
      const parts = call as AsyncIterable<IngestFileRequest>;
      done(null, await this.files.take(caller.tenant, parts, (id, ms) => causeOfRequest(caller, id, ms)));
    } catch (error) {
      done(error);
    }
  }

  @GrpcMethod('FeatureStore', 'ReadOnline')
  readOnline(
    request: ReadOnlineRequest,
    metadata: Metadata,
    call: ServerUnaryCall<ReadOnlineRequest, ReadOnlineReply>,
  ): Promise<ReadOnlineReply> {
    const caller = callerOf(metadata);
    return this.reading.read(caller.tenant, request, { caller: caller.key, signal: abandonment(call) });
  }

  @GrpcMethod('FeatureStore', 'BuildTrainingSet')
  async buildTrainingSet(
    request: BuildTrainingSetRequest,
    metadata: Metadata,
    call: ServerUnaryCall<BuildTrainingSetRequest, TrainingSet>,
  ): Promise<TrainingSet> {
    const { tenant, calledFrom, traceparent } = callerOf(metadata);
    const started = this.spans.begin();
    const set = await this.trainingSets.build(tenant, request, abandonment(call));
    const span = this.spans.rowBelow(calledFrom, trainingSetStep(request, set, started, traceparent));
    this.spans.send(span);
    return { ...set, span };
  }

  @GrpcMethod('FeatureStore', 'ListQuarantine')
  listQuarantine(request: ListQuarantineRequest, metadata: Metadata): Promise<ListQuarantineReply> {
    return this.quarantine.list(callerOf(metadata).tenant, request);
  }

  @GrpcMethod('FeatureStore', 'ResolveQuarantine')
  resolveQuarantine(request: ResolveQuarantineRequest, metadata: Metadata): Promise<QuarantineItem> {
    const caller = callerOf(metadata);
    return this.quarantine.resolve(caller.tenant, request, (id, ms) => causeOfRequest(caller, id, ms));
  }

  @GrpcMethod('FeatureStore', 'ListWatermarks')
  listWatermarks({ model }: ListWatermarksRequest, metadata: Metadata): ListWatermarksReply {
    return this.progress.list(callerOf(metadata).tenant, model);
  }

  @GrpcMethod('FeatureStore', 'WithdrawWatermark')
  withdrawWatermark(request: WithdrawWatermarkRequest, metadata: Metadata): Promise<SourceWatermark> {
    const caller = callerOf(metadata);
    return this.progress.withdraw(caller.tenant, request, (id, ms) => causeOfRequest(caller, id, ms));
  }
}

/** A stream that has ended is never drained. */
function drained(call: ServerDuplexStream<IngestRequest, IngestReply>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'close', 'cancelled']) call.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'close', 'cancelled']) call.on(event, done);
  });
}

/** The building of a set as a span below that of whoever asked for it. */
function trainingSetStep(
  request: BuildTrainingSetRequest,
  set: TrainingSet,
  started: number,
  own: string | undefined,
): Omit<CycleAct, 'cycleId'> {
  const attributes = {
    'driftloop.model': request.model,
    'driftloop.dataset.rows': set.rows,
    'driftloop.dataset.excluded_rows': set.excludedRows,
    'driftloop.dataset.sha256': set.sha256,
    'driftloop.dataset.features': set.numberFeatures.length + set.textFeatures.length,
  };
  const eventTime = request.knowledgeCutoff?.getTime() ?? 0;
  return { step: 'training set', eventTime, started, links: [own], attributes };
}
