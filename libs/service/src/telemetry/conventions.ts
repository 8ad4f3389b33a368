/**
 * Names of OpenTelemetry's semantic conventions, version 1.45 (rpc is stable there, messaging is in development). Written
 * out, because the package of the unstable ones is half a megabyte to load; a spec compares them with it.
 */
export const names = {
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  rpcSystem: 'rpc.system.name',
  rpcMethod: 'rpc.method',
  rpcStatus: 'rpc.status_code',
  messagingSystem: 'messaging.system.name',
  /** As it was called before 1.45: what most trace viewers look for. On spans only, beside the present name. */
  messagingSystemBefore: 'messaging.system',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  group: 'messaging.consumer.group.name',
  messageId: 'messaging.message.id',
  batchCount: 'messaging.batch.message_count',
  kafkaOffset: 'kafka.offset',
} as const;

/** What carries events: Kafka in a cluster, our own log in the embedded mode. */
export type MessagingSystem = 'kafka' | 'driftloop';

/** Boundaries that the conventions give the durations of calls and messages, seconds. */
export const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The class of an error, of few values: a typed error's code, or the name of its class. */
export function errorTypeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return typeof name === 'string' && name !== '' ? name : '_OTHER';
}
