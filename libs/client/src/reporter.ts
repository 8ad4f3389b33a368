/** Telling Driftloop what happened: rows of sources to the feature store, outcomes to labeling. */
import {
  FeatureStoreClient,
  type IngestReply,
  IngestRequest,
  LabelingClient,
  Outcome,
  type RecordOutcomesReply,
  RecordOutcomesRequest,
} from '@driftloop/contracts';
import type { ClientDuplexStream, Metadata, ServiceError } from '@grpc/grpc-js';
import { CallFailed } from './failure.js';
import { type RowFile, sendFile } from './file.js';
import { type Fact, type ReportedOutcome, toRow } from './rows.js';
import { credential, failure, open, unary } from './rpc.js';

interface Waiting {
  resolve: (reply: IngestReply) => void;
  reject: (error: Error) => void;
}

/** One long-lived ingest stream; batches are acknowledged in order. */
export class FactStream {
  private readonly waiting: Waiting[] = [];
  private broken: Error | undefined;

  constructor(private readonly stream: ClientDuplexStream<IngestRequest, IngestReply>) {
    stream.on('data', (reply: IngestReply) => this.waiting.shift()?.resolve(reply));
    stream.on('error', (error: ServiceError) => this.fail(failure(error)));
    stream.on('end', () => this.fail(new CallFailed('UNREACHABLE', 'the feature store ended the stream', true)));
  }

  /** Sends a batch with the source's promise: everything known at or before `watermark` has been sent. */
  send(model: string, source: string, facts: readonly Fact[], watermark?: Date): Promise<IngestReply> {
    if (this.broken) return Promise.reject(this.broken);
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.stream.write({ model, source, rows: facts.map(toRow), watermark });
    });
  }

  close(): void {
    this.stream.end();
  }

  private fail(error: Error): void {
    this.broken ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(this.broken);
  }
}

/**
 * The doors of the feature store and of labeling over gRPC (with TLS behind "grpcs://"), for what happened; `close` it when done. Failures are CallFailed:
 * the service's own code, or UNREACHABLE, retriable, where it does not answer.
 */
export class Reporter {
  private readonly store: FeatureStoreClient;
  private readonly labeling: LabelingClient;
  private readonly metadata: Metadata;

  constructor(addresses: { featureStore?: string; labeling?: string } = {}, token?: string) {
    this.store = open(FeatureStoreClient, addresses.featureStore ?? '127.0.0.1:7002');
    this.labeling = open(LabelingClient, addresses.labeling ?? '127.0.0.1:7001');
    this.metadata = credential(token);
  }

  /** Opens an ingest stream; close it when done. */
  facts(): FactStream {
    return new FactStream(this.store.ingest(this.metadata));
  }

  /** Reports outcomes of a label ("model.label"). Throws CallFailed; rows that were refused are listed in the reply. */
  outcomes(label: string, outcomes: readonly ReportedOutcome[], watermark?: Date): Promise<RecordOutcomesReply> {
    const request = RecordOutcomesRequest.fromPartial({
      label,
      outcomes: outcomes.map((outcome) => Outcome.fromPartial(outcome)),
      watermark,
    });
    return unary(this.labeling, this.labeling.recordOutcomes, request, this.metadata);
  }

  /** Sends a file of rows. Throws CallFailed; rows that were refused are listed in the reply, and come back as a file. */
  file(file: RowFile): Promise<IngestReply> {
    return sendFile(this.store, this.metadata, file);
  }

  close(): void {
    this.store.close();
    this.labeling.close();
  }
}
