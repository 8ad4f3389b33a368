/**
 * The brokers as chaos has them: everything that the house publishes is read along, and can be delivered once more; records
 * that are no events are put in between.
 *
 * I1  What is delivered once more is the record as it was, byte for byte with its headers, to the same partition.
 * I2  Order: a key's first deliveries keep theirs, since that is what Kafka promises and what a publisher's idempotence
 *     keeps. Nothing else is promised here: repetitions come shuffled over keys and topics, after newer events of their own
 *     key, in the middle of live ones. So does a publisher that was stopped while it published, and goes on when another has
 *     published since: consumers must see by an event's id, or by a revision, that it is old.
 * I3  At most `recordLimit` events are remembered, by their ids; what is more is dropped, and counted.
 */
import type { Random } from '@driftloop/algorithms';
import { events } from '@driftloop/contracts';
import kafkajs, { type Consumer, type IHeaders, type Producer } from 'kafkajs';

/** A record as it was published. */
export interface Published {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

const recordLimit = 50_000;
/** Decisions are few, and weigh most. */
const few = 20;
/** Records in one send of repetitions: live events come between two. */
const atOnce = 40;

export class Topics {
  /** Events that could not be remembered, and are never delivered again. */
  dropped = 0;
  private readonly byId = new Map<string, Published>();
  /** Next offset that is read, by topic and partition. */
  private readonly places = new Map<string, number>();

  private constructor(
    private readonly namespace: string,
    private readonly kafka: kafkajs.Kafka,
    private readonly consumer: Consumer,
    private readonly producer: Producer,
  ) {}

  /** Begins to read along, from the beginning. The house has made its topics. */
  static async open(brokers: readonly string[], namespace: string): Promise<Topics> {
    const retry = { initialRetryTime: 100, maxRetryTime: 2000, retries: 100 };
    const kafka = new kafkajs.Kafka({ brokers: [...brokers], retry, logLevel: kafkajs.logLevel.NOTHING });
    // Not in the house's namespace: it is no group of the house's, and nobody waits for it.
    const consumer = kafka.consumer({ groupId: `reads-along-with-${namespace}`, allowAutoTopicCreation: false });
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    const topics = new Topics(namespace, kafka, consumer, producer);
    await Promise.all([consumer.connect(), producer.connect()]);
    await consumer.subscribe({ topics: topics.names, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachMessage: async (read) => topics.keep(read) });
    return topics;
  }

  async close(): Promise<void> {
    await Promise.all([this.consumer.disconnect(), this.producer.disconnect()]);
  }

  /** Each event of a topic once, as it was first published. */
  published(topic: string): Published[] {
    return [...this.byId.values()].filter((record) => record.topic === this.physical(topic));
  }

  /** Resolves when everything that has been published by now has been read. */
  async caughtUp(): Promise<void> {
    const admin = this.kafka.admin();
    await admin.connect();
    try {
      for (const topic of this.names)
        for (const { partition, high } of await admin.fetchTopicOffsets(topic))
          while ((this.places.get(`${topic}/${partition}`) ?? 0) < Number(high))
            await new Promise((go) => setTimeout(go, 50));
    } finally {
      await admin.disconnect();
    }
  }

  /** Delivers a share of all events once more, shuffled (I1, I2), and of topics that have few all of them; their number. */
  async repeat(share: number, random: Random): Promise<number> {
    const byTopic = Map.groupBy(this.byId.values(), ({ topic }) => topic);
    const drawn = [...byTopic.values()].flatMap((of) =>
      of.length <= few ? of : of.filter(() => random.uniform() < share),
    );
    const shuffled = [...drawn].map(() => drawn.splice(random.integer(drawn.length), 1)[0]);
    for (let from = 0; from < shuffled.length; from += atOnce) await this.send(shuffled.slice(from, from + atOnce));
    return shuffled.length;
  }

  /** A record that is no event, in every topic; the topics. */
  async poison(): Promise<string[]> {
    const [key, value] = ['nobody', 'this is no event'].map((text) => Buffer.from(text));
    await this.send(this.names.map((topic) => ({ topic, partition: 0, key, value, headers: {} })));
    return Object.values(events).map(({ topic }) => topic);
  }

  private get names(): string[] {
    return Object.values(events).map(({ topic }) => this.physical(topic));
  }

  private physical(topic: string): string {
    return this.namespace ? `${this.namespace}.${topic}` : topic;
  }

  private keep({ topic, partition, message }: kafkajs.EachMessagePayload): void {
    const { key, value, headers = {}, offset } = message;
    this.places.set(`${topic}/${partition}`, Number(offset) + 1);
    const id = headers.ce_id?.toString();
    if (!id || this.byId.has(`${topic} ${id}`)) return;
    if (this.byId.size < recordLimit) this.byId.set(`${topic} ${id}`, { topic, partition, key, value, headers });
    else this.dropped++;
  }

  private async send(records: readonly Published[]): Promise<void> {
    const topicMessages = [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      messages: of.map(({ topic: _, ...message }) => message),
    }));
    await this.producer.sendBatch({ topicMessages, acks: -1 });
  }
}
