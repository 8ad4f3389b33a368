/** Topics of Driftloop on real brokers, in a namespace of their own, with a plain kafkajs producer beside them. */
import { randomUUID } from 'node:crypto';
import { cloudEventHeaders, events } from '@driftloop/contracts';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import type { KafkaServers } from '../kafka.js';

export type Brokers = Awaited<ReturnType<typeof brokersOf>>;

export async function brokersOf(brokers: readonly string[]) {
  const namespace = `client-${randomUUID().slice(0, 13)}`;
  const kafka = new Kafka({ brokers: [...brokers], clientId: 'spec', logLevel: logLevel.NOTHING });
  const [admin, producer] = [kafka.admin(), kafka.producer()];
  await Promise.all([admin.connect(), producer.connect()]);
  const name = (topic: string) => `${namespace}.${topic}`;
  const topics = Object.values(events).map(({ topic, partitions }) => ({
    topic: name(topic),
    numPartitions: partitions,
  }));
  await admin.createTopics({ topics, waitForLeaders: true });
  const servers: KafkaServers = { brokers, namespace };

  /** Writes a record as it is. */
  const write = (
    topic: string,
    record: { key?: string; value: string; headers?: Record<string, string> },
    partition = 0,
  ) => producer.send({ topic: name(topic), messages: [{ ...record, partition }] });

  /** Tells a fact as Driftloop does. */
  const tell = (topic: string, id: string, data: object, partition = 0) => {
    const headers = cloudEventHeaders({ id, topic, key: 'main/m', time: 1_360_929_600_000, source: 'registry' });
    return write(topic, { key: 'main/m', value: JSON.stringify(data), headers }, partition);
  };

  /** The first records of a topic, as any Kafka client reads them. */
  const read = async (topic: string, count: number): Promise<KafkaMessage[]> => {
    const consumer = kafka.consumer({ groupId: name(`reader-${randomUUID()}`), maxWaitTimeInMs: 200 });
    await consumer.connect();
    await consumer.subscribe({ topic: name(topic), fromBeginning: true });
    const found: KafkaMessage[] = [];
    const all = Promise.withResolvers<void>();
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (found.push(message) === count) all.resolve();
      },
    });
    await all.promise;
    await consumer.disconnect();
    return found;
  };

  /** Where a group stands in a topic, by partition; −1 where it has no place. */
  const committed = async (group: string, topic: string) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [name(topic)] });
    return partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
  };

  /** How many have a place in a group. */
  const members = async (group: string) => (await admin.describeGroups([group])).groups[0].members.length;

  const close = async () => {
    await admin.deleteTopics({ topics: topics.map(({ topic }) => topic) });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  };
  return {
    servers,
    write,
    tell,
    read,
    committed,
    members,
    close,
    group: () => name(`team-${randomUUID().slice(0, 8)}`),
  };
}
