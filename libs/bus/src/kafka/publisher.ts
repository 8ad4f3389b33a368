/**
 * Publishing: an idempotent producer whose sends go one after another, each with everything that has come meanwhile.
 *
 * I1  Records of a partition are sent in the order of `publish`; a call resolves when all brokers have all of its records.
 * I2  After a failure the producer is replaced: it does not know what the brokers have taken, and the same sequence
 *     number with other records would be taken for a repetition and lost. The callers repeat, with the same event ids.
 * I3  At most `queueLimit` records wait; above it publishing fails retriably, and nothing of the call is sent.
 */
import { setTimeout as pass } from 'node:timers/promises';
import type { Kafka, Message, Producer } from 'kafkajs';
import { errors } from '../errors.js';
import { busPoints } from '../points.js';

/** A record on its way to a partition of a topic. */
export interface Placed {
  readonly topic: string;
  readonly message: Message;
  readonly bytes: number;
}

interface Waiting {
  readonly records: readonly Placed[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const queueLimit = 20_000;
/** Of one send: what a topic's largest batch takes, with room. */
const sendBytes = 4 * 1024 * 1024;

export class Publisher {
  private readonly queue: Waiting[] = [];
  private waiting = 0;
  private sending: Promise<void> | undefined;
  private producer: Promise<Producer> | undefined;
  private closed = false;

  constructor(private readonly kafka: Kafka) {}

  /** Throws BUS_UNAVAILABLE. */
  publish(records: readonly Placed[]): Promise<void> {
    if (this.closed) throw errors.BUS_UNAVAILABLE({ reason: 'it is closed' });
    if (this.waiting + records.length > queueLimit && this.waiting > 0)
      throw errors.BUS_UNAVAILABLE({ reason: `${this.waiting} events wait to be published, more than it takes` });
    this.waiting += records.length;
    return new Promise((resolve, reject) => {
      this.queue.push({ records, resolve, reject });
      this.sending ??= this.sendAll();
    });
  }

  /** Sends what waits, then refuses. */
  async close(): Promise<void> {
    this.closed = true;
    await this.sending;
    await this.drop();
  }

  private async sendAll(): Promise<void> {
    while (this.queue.length > 0) await this.sendNext(this.take());
    this.sending = undefined;
  }

  /** As many calls as fit into one send, one at least. */
  private take(): Waiting[] {
    const taken: Waiting[] = [];
    for (let bytes = 0; this.queue.length > 0; ) {
      bytes += this.queue[0].records.reduce((sum, record) => sum + record.bytes, 0);
      if (taken.length > 0 && bytes > sendBytes) break;
      taken.push(this.queue.shift()!);
    }
    return taken;
  }

  private async sendNext(taken: readonly Waiting[]): Promise<void> {
    const records = taken.flatMap((waiting) => waiting.records);
    try {
      busPoints.beforePublish.publish(records[0]?.topic);
      for (const part of parts(records)) await this.send(part);
      busPoints.afterPublish.publish(records[0]?.topic);
      for (const { resolve } of taken) resolve();
    } catch (error) {
      await this.drop();
      const reason = (error as Error).message;
      for (const { reject } of taken) reject(errors.BUS_UNAVAILABLE({ reason }));
    } finally {
      this.waiting -= records.length;
    }
  }

  private async send(records: readonly Placed[]): Promise<void> {
    const topicMessages = [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      messages: of.map(({ message }) => message),
    }));
    this.producer ??= this.open();
    await (await this.producer).sendBatch({ topicMessages, acks: -1, timeout: 10_000 });
  }

  private async open(): Promise<Producer> {
    const producer = this.kafka.producer({ idempotent: true, allowAutoTopicCreation: false });
    await producer.connect();
    return producer;
  }

  /** I2 */
  private async drop(): Promise<void> {
    const producer = await this.producer?.catch(() => undefined);
    this.producer = undefined;
    await Promise.race([producer?.disconnect().catch(() => undefined), pass(1000, undefined, { ref: false })]);
  }
}

/** Records in sends of at most `sendBytes`. */
function* parts(records: readonly Placed[]): Generator<Placed[]> {
  let part: Placed[] = [];
  let bytes = 0;
  for (const record of records) {
    if (part.length > 0 && bytes + record.bytes > sendBytes) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += record.bytes;
  }
  yield part;
}
