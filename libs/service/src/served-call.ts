/** A call while it is answered: its span, its log line, its duration, and who calls. */
import { type handleUnaryCall, status } from '@grpc/grpc-js';
import type { Attributes, Span } from '@opentelemetry/api';
import { type Caller, rememberCaller } from './credentials.js';
import type { Log } from './log.js';
import { errorTypeOf, names } from './telemetry/conventions.js';
import { traceparentOf } from './telemetry/span-context.js';
import type { Telemetry } from './telemetry/telemetry.js';

export type Call = Parameters<handleUnaryCall<unknown, unknown>>[0] & { emit(event: 'error', error: unknown): boolean };
export interface Method {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}
/** A call that is being answered; `code` is how it ends. */
export interface Served {
  readonly method: Method;
  readonly call: Call;
  readonly watched: boolean;
  code: status;
}
interface Ending {
  readonly about: Attributes;
  readonly span: Span;
  readonly error: unknown;
  readonly ms: number;
}
/** Where a handler runs, and what is to be told when it has. */
export interface Watched {
  run(work: () => unknown): unknown;
  end(error?: unknown): void;
}
const unwatched: Watched = { run: (work) => work(), end: () => {} };

/** Statuses that say that the server is at fault. */
const serverFaults = new Set([
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.UNIMPLEMENTED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.DATA_LOSS,
]);

interface Watching {
  readonly telemetry: Telemetry;
  readonly log: Log;
}

/** Remembers the caller and opens the span, in which the handler runs; the result closes it. */
export function watchCall(
  served: Served,
  caller: Caller,
  { telemetry, log }: Watching,
  given: string | undefined,
): Watched {
  const { call, method, watched } = served;
  if (!watched && !log.isLevelEnabled('debug')) {
    rememberCaller(call.metadata, given ? { ...caller, traceparent: given, calledFrom: given } : caller);
    return unwatched;
  }
  const started = performance.now();
  const about = { [names.rpcSystem]: 'grpc', [names.rpcMethod]: method.path.slice(1) };
  const span = telemetry.served(method.path.slice(1), about, given);
  const own = telemetry.enabled ? traceparentOf(span) : given;
  rememberCaller(call.metadata, { ...caller, traceparent: own, calledFrom: given });
  let ended = false;
  const end = (error?: unknown) => {
    if (ended) return;
    ended = true;
    tellEnd(served, { about, span, error, ms: performance.now() - started }, telemetry, log);
  };
  call.once('cancelled', () => {
    if (!ended) served.code = status.CANCELLED;
    end();
  });
  call.once('finish', () => end());
  return { run: (work) => (telemetry.enabled ? telemetry.run(span, work) : work()), end };
}

/** A span fails where the service is at fault, not where its caller is: as the conventions for servers have it. */
function tellEnd({ method, code }: Served, { about, span, error, ms }: Ending, telemetry: Telemetry, log: Log): void {
  const facts = { method: method.path, ms: Math.round(ms), status: status[code] };
  telemetry.run(span, () => log.debug({ ...facts, failed: code !== status.OK }, 'called'));
  const own = { [names.rpcStatus]: status[code] };
  const type = serverFaults.has(code) ? { [names.errorType]: errorTypeOf(error ?? { code: status[code] }) } : {};
  span.setAttributes(own);
  telemetry.end(span, serverFaults.has(code) ? (error ?? new Error(status[code])) : undefined);
  const { metrics } = telemetry;
  if (metrics.enabled) metrics.histogram('rpc.server.call.duration').record(ms / 1000, { ...about, ...own, ...type });
}
