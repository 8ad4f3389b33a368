/**
 * Questions to the brokers that kafkajs's admin client cannot ask, or asks one topic at a time: ends of many topics in one
 * request, records from an offset without a group, a group's first place. They go over kafkajs's own connections.
 *
 * I1  Fetches from one broker go one after another, as it answers them: kafkajs connects for a fetch without a lock, and of
 *     two at once one connection would be nobody's and stay open.
 */
import { setTimeout as pass } from 'node:timers/promises';
import { type Admin, Kafka, type KafkaConfig, type KafkaMessage, logLevel } from 'kafkajs';

interface Broker {
  fetch(
    request: object,
  ): Promise<{ responses: { partitions: { messages: (KafkaMessage & { isControlRecord?: boolean })[] }[] }[] }>;
  offsetCommit(request: object): Promise<unknown>;
}

interface TopicOffsets {
  readonly topic: string;
  readonly partitions: readonly { readonly partition: number; readonly offset: string }[];
}

/** kafkajs's own cluster: it is not exported, and this is all of it that is used. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  refreshMetadata(): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  findBroker(node: { nodeId: number }): Promise<Broker>;
  findGroupCoordinator(group: { groupId: string }): Promise<Broker>;
  fetchTopicsOffset(topics: readonly object[]): Promise<TopicOffsets[]>;
}

/** Next offsets of a topic's partitions, by partition. */
export type Offsets = ReadonlyMap<string, readonly number[]>;

const errorOfSymbol = 'kafkajs no longer makes clusters the way that 2.2.4 did';

/** A connection of its own to the brokers: a fetch that waits holds up what is asked after it on the same one. */
export class Wire {
  /** The last fetch from each broker. */
  private readonly fetching = new Map<number, Promise<unknown>>();

  private constructor(
    private readonly cluster: Cluster,
    readonly admin: Admin,
  ) {}

  static async open(kafka: Kafka): Promise<Wire> {
    const make = Object.getOwnPropertySymbols(kafka).find(({ description }) => description?.endsWith(':createCluster'));
    if (!make) throw new Error(errorOfSymbol);
    const options = { allowAutoTopicCreation: false, metadataMaxAge: 300_000, isolationLevel: 1 };
    const cluster = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[make](options);
    const admin = kafka.admin();
    await Promise.all([cluster.connect(), admin.connect()]);
    return new Wire(cluster, admin);
  }

  async close(): Promise<void> {
    await Promise.all([this.cluster.disconnect(), this.admin.disconnect()]);
  }

  /** The next offset of each partition of topics that exist. */
  async ends(topics: readonly string[]): Promise<Offsets> {
    return this.offsets(topics, false);
  }

  /** The first retained offset of each partition. */
  async starts(topics: readonly string[]): Promise<Offsets> {
    return this.offsets(topics, true);
  }

  /**
   * Records of a partition from an offset on, as many as fit into `maxBytes` and at least one where there is one; waits so
   * long for the first.
   */
  async fetch(topic: string, partition: number, offset: number, maxBytes: number, waitMs = 0): Promise<KafkaMessage[]> {
    return this.again(async () => {
      await this.target([topic]);
      const found = this.cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition);
      const request = {
        maxWaitTime: waitMs,
        minBytes: 1,
        maxBytes,
        isolationLevel: 1,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }],
        rackId: '',
      };
      const { responses } = await this.inTurn(found!.leader, async () =>
        (await this.cluster.findBroker({ nodeId: found!.leader })).fetch(request),
      );
      const messages = responses.flatMap(({ partitions }) => partitions.flatMap((part) => part.messages));
      return messages.filter((message) => Number(message.offset) >= offset && !message.isControlRecord);
    });
  }

  /** I1 */
  private inTurn<T>(leader: number, ask: () => Promise<T>): Promise<T> {
    const asked = (this.fetching.get(leader) ?? Promise.resolve()).then(ask, ask);
    this.fetching.set(
      leader,
      asked.catch(() => undefined),
    );
    return asked;
  }

  /** Where a group has come, of the topics and partitions that it has a place in. */
  async committed(group: string, topics?: readonly string[]): Promise<Map<string, Map<number, number>>> {
    const asked = { groupId: group, ...(topics && { topics: [...topics] }) };
    const found = await this.again(() => this.admin.fetchOffsets(asked));
    return new Map(
      found.map(({ topic, partitions }) => [
        topic,
        new Map(partitions.filter(({ offset }) => Number(offset) >= 0).map((p) => [p.partition, Number(p.offset)])),
      ]),
    );
  }

  /** Sets the places of a group that has no member; one that has keeps its own. */
  async place(group: string, places: readonly { topic: string; partition: number; offset: number }[]): Promise<void> {
    const byTopic = Map.groupBy(places, ({ topic }) => topic);
    const topics = [...byTopic].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
    }));
    try {
      await this.again(async () => {
        const coordinator = await this.cluster.findGroupCoordinator({ groupId: group });
        await coordinator.offsetCommit({ groupId: group, groupGenerationId: -1, memberId: '', topics });
      });
    } catch (error) {
      const { type } = error as { type?: string };
      if (type !== 'UNKNOWN_MEMBER_ID' && type !== 'ILLEGAL_GENERATION' && type !== 'REBALANCE_IN_PROGRESS')
        throw error;
    }
  }

  private async offsets(topics: readonly string[], fromBeginning: boolean): Promise<Offsets> {
    return this.again(async () => {
      await this.target(topics);
      const asked = topics.map((topic) => ({
        topic,
        partitions: this.cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId }) => ({ partition: partitionId })),
        fromBeginning,
      }));
      const found = await this.cluster.fetchTopicsOffset(asked);
      return new Map(
        found.map(({ topic, partitions }) => {
          const sorted = [...partitions].sort((a, b) => a.partition - b.partition);
          return [topic, sorted.map(({ offset }) => Number(offset))];
        }),
      );
    });
  }

  private async target(topics: readonly string[]): Promise<void> {
    await this.cluster.addMultipleTargetTopics(topics);
    await this.cluster.refreshMetadataIfNecessary();
  }

  /**
   * Brokers move and connections break: one try more with what is known anew. What the brokers have not settled yet, of a
   * topic made a moment ago or of groups after their own start, is waited for.
   */
  private async again<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + settleMs;
    for (let broken = false; ; ) {
      try {
        return await ask();
      } catch (error) {
        const settles = isSettling(error);
        if (settles ? performance.now() >= deadline : broken) throw error;
        broken ||= !settles;
        if (settles) await pass(100);
        await this.cluster.connect();
        await this.cluster.refreshMetadata().catch((anew) => {
          if (!isSettling(anew)) throw anew;
        });
      }
    }
  }
}

/** How long brokers may take to know a topic, or who leads a partition or a group, ms. */
export const settleMs = 20_000;

/** What brokers say while they settle who has a topic's partition, or a group: soon they will know. */
const settling = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/** Whether brokers have not settled yet who answers a question. */
export function isSettling(error: unknown): boolean {
  const { type, cause } = error as { type?: string; cause?: { type?: string } };
  return settling.has(type ?? cause?.type ?? '');
}

/** Where the brokers are, and who asks. */
export interface KafkaServers extends Pick<KafkaConfig, 'ssl' | 'sasl'> {
  /** "host:port" of one broker or more. */
  readonly brokers: readonly string[];
}

/** A kafkajs client that is quiet: what matters comes back as errors. */
export function kafkaOf(servers: KafkaServers, clientId: string): Kafka {
  return new Kafka({
    ...servers,
    brokers: [...servers.brokers],
    clientId,
    connectionTimeout: 3000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, retries: 5, maxRetryTime: 2000 },
    logLevel: logLevel.NOTHING,
  });
}
