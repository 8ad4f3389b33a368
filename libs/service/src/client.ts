/**
 * Questions to other services: clients, and calls as promises with deadlines and typed errors.
 *
 * I1  A call has a deadline, always.
 * I2  Until a client has been answered once, its calls wait for the other side to come up (within their deadline); later
 *     an absent one is UNAVAILABLE at once, so that a handler pauses instead of hanging.
 */
import { peerName, targetOf } from '@driftloop/contracts';
import {
  type CallOptions,
  type Client,
  type ClientOptions,
  type ClientUnaryCall,
  type credentials,
  InterceptingCall,
  type Interceptor,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import type { Secret, TlsFiles } from './settings.js';
import { errorOfStatus } from './status.js';
import { channelCredentialsOf } from './tls.js';

/** A generated client's class. */
export type ClientClass<C extends Client> = new (
  address: string,
  channel: ReturnType<typeof credentials.createInsecure>,
  options?: Partial<ClientOptions>,
) => C;

/** The largest message either way, bytes. */
export const largestMessage = 16 * 1024 * 1024;

const channelOptions = {
  'grpc.max_receive_message_length': largestMessage,
  'grpc.max_send_message_length': largestMessage,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
};

/**
 * A client of an address, `host:port`, or of several replicas' with commas between. With a token every call carries it;
 * `more` interceptors go before, and with `tls` it is encrypted. `close()` it in the end.
 */
export function grpcClient<C extends Client>(
  client: ClientClass<C>,
  address: string,
  token?: Secret,
  more: readonly Interceptor[] = [],
  tls?: TlsFiles,
): C {
  const { target, options } = targetOf(address);
  const interceptors = [...more, ...(token ? [bearer(token)] : []), ...(options.interceptors ?? [])];
  return new client(target, channelCredentialsOf(tls), {
    ...channelOptions,
    ...options,
    ...(tls && peerName(address)),
    interceptors,
  });
}

function bearer(token: Secret): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        if (metadata.get('authorization').length === 0) metadata.set('authorization', `Bearer ${token.reveal()}`);
        next(metadata, listener);
      },
    });
}

type Unary<Q, R> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: R) => void,
) => ClientUnaryCall;
// biome-ignore lint/suspicious/noExplicitAny: inferred from the client's own methods
type AnyUnary = Unary<any, any>;
/** A client's methods with one request and one reply. */
export type UnaryMethod<C> = { [M in keyof C]: C[M] extends AnyUnary ? M : never }[keyof C] & string;
export type RequestOf<C, M extends keyof C> = C[M] extends Unary<infer Q, infer _> ? Q : never;
export type ReplyOf<C, M extends keyof C> = C[M] extends Unary<infer _, infer R> ? R : never;

export interface AskOptions {
  /** How long to wait for the reply, ms of wall time. Default 10 s. */
  readonly deadlineMs?: number;
  /** Sent with the call, in addition to what the client sends. */
  readonly metadata?: Metadata;
  /** The span that the other side is to be told of, in place of one of its own: a step of a cycle, whose id is known. */
  readonly traceparent?: string;
  /** Whoever the reply is for has gone: the call is cancelled, and the other side hears of it. */
  readonly signal?: AbortSignal;
}

const answered = new WeakSet<Client>();

/** Asks, and resolves with the reply. Throws the other side's LoopError, CALL_UNAVAILABLE or CALL_TIMED_OUT. */
export function call<C extends Client, M extends UnaryMethod<C>>(
  client: C,
  method: M,
  request: RequestOf<C, M>,
  { deadlineMs = 10_000, metadata: given, traceparent, signal }: AskOptions = {},
): Promise<ReplyOf<C, M>> {
  const metadata = given?.clone() ?? new Metadata();
  if (traceparent) metadata.set('traceparent', traceparent);
  if (!answered.has(client)) metadata.setOptions({ ...metadata.getOptions(), waitForReady: true });
  const options = { deadline: Date.now() + deadlineMs };
  return new Promise((resolve, reject) => {
    const ask = client[method] as AnyUnary;
    const asked = ask.call(client, request, metadata, options, (error, reply) => {
      signal?.removeEventListener('abort', cancel);
      if (error) return reject(errorOfStatus(error, method, deadlineMs));
      answered.add(client);
      resolve(reply);
    });
    const cancel = () => asked.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) cancel();
  });
}
