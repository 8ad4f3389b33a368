/**
 * Telling Driftloop what happened over Kafka instead of gRPC: rows of sources, outcomes of labels, as events of the inbound
 * topics. The answer is that the brokers have it; what is malformed becomes a dead letter of the service's group.
 *
 * I1  A report that was sent twice has the same event ids, and is taken once: after a failure send it again with its `id`.
 * I2  Reports are in order when each is awaited.
 */
import { randomUUID } from 'node:crypto';
import {
  type AnyEvent,
  cloudEventHeaders,
  EntitiesObserved,
  events,
  Outcome,
  OutcomesReported,
} from '@driftloop/contracts';
import type { Producer } from 'kafkajs';
import { type Fact, type ReportedOutcome, toRow } from '../rows.js';
import { checkTopics, failureOf, type KafkaServers, kafkaOf, physical } from './servers.js';

export interface ReportOptions {
  /** Promise: everything of this source known at or before it has been sent. */
  readonly watermark?: Date;
  /** The id of the report; default a random one. */
  readonly id?: string;
}

/** What a service takes in one event (proto/driftloop/v1/events.proto); longer reports go in several. */
const outcomesAtOnce = 5000;
const rowsAtOnce = 10_000;

/**
 * A producer on the brokers for the inbound topics `outcomes.reported` and `entities.observed`; `close` it when done. Failures
 * are CallFailed: UNREACHABLE, retriable, where the brokers do not answer; UNKNOWN_TOPIC where no house has made the topics.
 */
export class KafkaReporter {
  private constructor(
    private readonly servers: KafkaServers,
    private readonly producer: Producer,
    private readonly source: string,
  ) {}

  /** `source` names you in each event, as `/checkout/web`. Throws UNREACHABLE, UNKNOWN_TOPIC. */
  static async open(servers: KafkaServers, source = '/external'): Promise<KafkaReporter> {
    await checkTopics(servers, [events.outcomesReported.topic, events.entitiesObserved.topic]);
    const producer = kafkaOf(servers).producer({ allowAutoTopicCreation: false, maxInFlightRequests: 1 });
    await producer.connect().catch((error) => {
      throw failureOf(servers, error);
    });
    return new KafkaReporter(servers, producer, source);
  }

  /** Reports outcomes of a label ("model.label"). Resolves with the events' ids. Throws UNREACHABLE. */
  outcomes(label: string, outcomes: readonly ReportedOutcome[], options: ReportOptions = {}): Promise<string[]> {
    const all = outcomes.map((outcome) => Outcome.fromPartial(outcome));
    return this.send(events.outcomesReported, all, outcomesAtOnce, options, (part, watermark) =>
      OutcomesReported.fromPartial({ label, outcomes: part, watermark }),
    );
  }

  /** Reports rows of a source that the model declares. Resolves with the events' ids. Throws UNREACHABLE. */
  facts(model: string, source: string, facts: readonly Fact[], options: ReportOptions = {}): Promise<string[]> {
    return this.send(events.entitiesObserved, facts.map(toRow), rowsAtOnce, options, (part, watermark) =>
      EntitiesObserved.fromPartial({ model, source, rows: part, watermark }),
    );
  }

  close(): Promise<void> {
    return this.producer.disconnect();
  }

  /** The last part carries the promise. A report's time is when the latest of it was known. */
  private async send<R extends { knownAt?: Date | undefined }>(
    event: AnyEvent,
    rows: readonly R[],
    atOnce: number,
    { watermark, id = randomUUID() }: ReportOptions,
    payloadOf: (part: R[], watermark: Date | undefined) => unknown,
  ): Promise<string[]> {
    const count = Math.max(1, Math.ceil(rows.length / atOnce));
    const ids = Array.from({ length: count }, (_, n) => (count === 1 ? id : `${id}.${n}`));
    const latest = rows.reduce((max, { knownAt }) => Math.max(max, knownAt?.getTime() ?? 0), watermark?.getTime() ?? 0);
    for (const [n, partId] of ids.entries()) {
      const part = rows.slice(n * atOnce, (n + 1) * atOnce);
      await this.publish(event, partId, latest, payloadOf(part, n === count - 1 ? watermark : undefined));
    }
    return ids;
  }

  private async publish({ topic, key: keyOf, payload }: AnyEvent, id: string, time: number, data: unknown) {
    const key = keyOf(data);
    const headers = { ...cloudEventHeaders({ id, topic, key, time, source: '' }), ce_source: this.source };
    const value = JSON.stringify(payload.toJSON(data));
    const send = this.producer.send({
      topic: physical(this.servers, topic),
      acks: -1,
      messages: [{ key, value, headers }],
    });
    await send.catch((error) => {
      throw failureOf(this.servers, error);
    });
  }
}
