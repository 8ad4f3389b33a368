/** Questions to other services that are answered with a stream. */
import { type CallOptions, type Client, type ClientReadableStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import { errorOfStatus } from './status.js';

type Streaming<Q, R> = (request: Q, metadata: Metadata, options: Partial<CallOptions>) => ClientReadableStream<R>;

export interface StreamOptions {
  /** Sent with the call, in addition to what the client sends. */
  readonly metadata?: Metadata;
  /** How long the whole stream may take, ms of wall time. */
  readonly deadlineMs: number;
  /** Ends the call. */
  readonly signal?: AbortSignal;
}

/**
 * Replies as they come; leaving the loop ends the call. Throws the other side's LoopError, CALL_UNAVAILABLE or CALL_TIMED_OUT.
 *
 * @example
 * for await (const reply of callStream(client, client.simulate, request, { deadlineMs: 3_600_000 })) …
 */
export async function* callStream<Q, R>(
  client: Client,
  method: (request: Q, metadata: Metadata, options?: Partial<CallOptions>) => ClientReadableStream<R>,
  request: Q,
  { metadata = new Metadata(), deadlineMs, signal }: StreamOptions,
): AsyncGenerator<R> {
  const stream = (method as Streaming<Q, R>).call(client, request, metadata, { deadline: Date.now() + deadlineMs });
  const abort = () => stream.cancel();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    for await (const reply of stream) yield reply as R;
  } catch (error) {
    throw errorOfStatus(error as ServiceError, method.name, deadlineMs);
  } finally {
    signal?.removeEventListener('abort', abort);
    stream.cancel();
  }
}
