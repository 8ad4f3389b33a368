/** The brokers: where they are, how topics are named there, and what it means that they do not answer. */
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import { CallFailed } from '../failure.js';

/** `socketFactory` is for those whom only a proxy of their own brings to the brokers. */
export interface KafkaServers extends Pick<KafkaConfig, 'ssl' | 'sasl' | 'socketFactory'> {
  /** "host:port" of one broker or more. */
  readonly brokers: readonly string[];
  /** Stands before each topic with a dot, where Driftloop runs with DRIFTLOOP_NAMESPACE. Default none. */
  readonly namespace?: string;
  /** Who this is, in the brokers' own view. Default `driftloop-client`. */
  readonly clientId?: string;
}

/** A kafkajs client that is quiet: what matters comes back as errors. */
export function kafkaOf({ brokers, ssl, sasl, socketFactory, clientId = 'driftloop-client' }: KafkaServers): Kafka {
  return new Kafka({
    ...{ ssl, sasl, socketFactory, clientId },
    brokers: [...brokers],
    connectionTimeout: 3000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, retries: 5, maxRetryTime: 2000 },
    logLevel: logLevel.NOTHING,
  });
}

/** The name of a topic at the brokers. */
export function physical({ namespace }: KafkaServers, topic: string): string {
  return namespace ? `${namespace}.${topic}` : topic;
}

/** Asks the brokers, with a connection for that alone. Throws UNREACHABLE. */
export async function asking<T>(servers: KafkaServers, ask: (admin: ReturnType<Kafka['admin']>) => Promise<T>) {
  const admin = kafkaOf(servers).admin();
  try {
    await admin.connect();
    return await ask(admin);
  } catch (error) {
    throw failureOf(servers, error);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Throws UNKNOWN_TOPIC for the first topic that the brokers do not have: a client never makes one. */
export async function checkTopics(servers: KafkaServers, topics: readonly string[]): Promise<void> {
  const known = await asking(servers, (admin) => admin.listTopics());
  const absent = topics.map((topic) => physical(servers, topic)).find((topic) => !known.includes(topic));
  if (!absent) return;
  const message = `the brokers at ${servers.brokers} have no topic "${absent}"; has Driftloop run there, with this namespace?`;
  throw new CallFailed('UNKNOWN_TOPIC', message, false);
}

/** What kafkajs throws, as CallFailed. */
export function failureOf({ brokers }: KafkaServers, error: unknown): CallFailed {
  if (error instanceof CallFailed) return error;
  const { message, retriable, name } = error as Error & { retriable?: boolean };
  const isAway = retriable !== false || name === 'KafkaJSNumberOfRetriesExceeded';
  return new CallFailed('UNREACHABLE', `the brokers at ${brokers} do not serve this: ${message}`, isAway);
}
