/** A tiny real service for the kit's own specs: hears an event, emits another, answers calls with errors of each kind. */
import {
  catalogue,
  events,
  type GetOutcomeRequest,
  LabelingService,
  type LabelsAdded,
  type ModelDeclared,
  type RecordOutcomesReply,
  type RecordOutcomesRequest,
} from '@driftloop/contracts';
import { type Cause, emission, Outbox, outboxed } from '@driftloop/documents';
import type { Metadata, ServerReadableStream } from '@grpc/grpc-js';
import { Controller, Injectable, Module } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall } from '@nestjs/microservices';
import { Schema } from 'mongoose';
import { Connection, ConsumerGroup, callerOf, type ServiceDefinition, When } from '../index.js';

export const errors = catalogue('tiny', {
  LABEL_UNKNOWN: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (m: { label: string }) => `label ${m.label} is not known`,
  },
  AWAY: { status: 'UNAVAILABLE', retriable: true, message: (m: { what: string }) => `${m.what} is away` },
});

/** What the world outside does to the service, and what it saw. */
export class World {
  readonly heard: { payload: ModelDeclared; cause: Cause }[] = [];
  away = false;
  slow = 0;
  /** Slow calls that have come to their end. */
  ended = 0;
  /** Streams that have come to their end. */
  streamed = 0;
}
export const world = new World();

interface Seen {
  _id: string;
  pending?: unknown[];
}

@Injectable()
export class TinyDocuments {
  readonly seen;
  constructor(connection: Connection) {
    this.seen = connection.model<Seen>('Seen', new Schema<Seen>({ _id: String }).plugin(outboxed));
  }
}

const labels = (model: string): LabelsAdded =>
  events.labelsAdded.payload.fromPartial({ tenant: 'acme', label: `${model}.late`, bucket: 0 });

@ConsumerGroup('labeling.when-model-declared')
export class WhenModelDeclared {
  constructor(
    private readonly documents: TinyDocuments,
    private readonly outbox: Outbox,
  ) {}

  @When(events.modelDeclared)
  async note(payload: ModelDeclared, cause: Cause) {
    world.heard.push({ payload, cause });
    if (world.slow > 0) await new Promise((resolve) => setTimeout(resolve, world.slow));
    if (world.away) throw errors.AWAY({ what: 'the store' });
    if (payload.model === 'poison') throw new TypeError('no such thing');
    const seen = (await this.documents.seen.findById(payload.model)) ?? new this.documents.seen({ _id: payload.model });
    await this.outbox.save(seen, [emission(events.labelsAdded, labels(payload.model), cause.time)], cause);
  }
}

type Stream = ServerReadableStream<RecordOutcomesRequest, RecordOutcomesReply>;

@Controller()
export class TinyDoor {
  @GrpcMethod('Labeling', 'RecordOutcomes')
  async recordOutcomes(request: RecordOutcomesRequest, metadata: Metadata): Promise<RecordOutcomesReply> {
    if (request.label === 'crash') throw new TypeError('password hunter2 at /secret/path');
    if (request.label === 'away') throw errors.AWAY({ what: 'the store' });
    if (request.label === 'unknown') throw errors.LABEL_UNKNOWN({ label: request.label });
    if (request.label === 'slow') {
      await new Promise((resolve) => setTimeout(resolve, 300));
      world.ended++;
    }
    const { tenant, replay } = callerOf(metadata);
    return {
      accepted: tenant === 'main' ? 1 : 0,
      duplicates: replay ? 1 : 0,
      revised: 0,
      contradictory: 0,
      rejected: [],
      quarantined: 0,
    };
  }

  @GrpcMethod('Labeling', 'GetOutcome')
  getOutcome(_: GetOutcomeRequest): never {
    throw errors.LABEL_UNKNOWN({ label: `x${'\u{1F6EB}'.repeat(50_000)}` });
  }

  @GrpcStreamCall('Labeling', 'StreamOutcomes')
  async streamOutcomes(call: Stream, done: (error: unknown, reply?: RecordOutcomesReply) => void) {
    let accepted = 0;
    for await (const request of call as AsyncIterable<RecordOutcomesRequest>) {
      if (request.label === 'crash') throw new TypeError('in the stream');
      if (request.label === 'unknown') return done(errors.LABEL_UNKNOWN({ label: 'unknown' }));
      accepted++;
    }
    world.streamed++;
    done(null, { accepted, duplicates: 0, revised: 0, contradictory: 0, rejected: [], quarantined: 0 });
  }
}

@Module({ controllers: [TinyDoor, WhenModelDeclared], providers: [TinyDocuments] })
class TinyModule {}

export const tiny: ServiceDefinition = {
  name: 'labeling',
  module: TinyModule,
  grpc: { packages: { 'driftloop.v1.Labeling': LabelingService }, port: 7001 },
};
