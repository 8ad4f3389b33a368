/**
 * Typed errors across gRPC: a LoopError is a status, and its code, retriability and details are JSON in the trailing
 * metadata `driftloop-error-bin`. Anything else is INTERNAL with an id under which the log has its stack.
 */
import { randomUUID } from 'node:crypto';
import { LoopError, type StatusName } from '@driftloop/contracts';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { errors } from './errors.js';
import type { Log } from './log.js';
import { redacted, redactedWithin } from './telemetry/redaction.js';

/** The trailing metadata that holds a typed error. */
export const errorKey = 'driftloop-error-bin';
/** When the same may be tried again, ms: what gRPC clients that retry by themselves wait for. */
const pushbackKey = 'grpc-retry-pushback-ms';
/** HTTP/2 headers are limited: details beyond this many bytes of JSON stay behind, and a message ends here. */
const largestDetails = 4096;
const longestMessage = 1024;

/** An error as gRPC sends it. */
export interface StatusObject {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Turns what a handler threw into a status; what is not typed is logged and not told. */
export function statusOf(error: unknown, log: Log, method: string): StatusObject {
  if (error instanceof LoopError) return typed(error);
  if (isStatus(error)) return { code: error.code, details: error.details, metadata: error.metadata ?? new Metadata() };
  const id = randomUUID();
  log.error({ id, method, err: error }, 'internal error');
  return typed(new LoopError('service', 'INTERNAL', `internal error ${id}`, 'INTERNAL', false, { id }));
}

function typed(error: LoopError): StatusObject {
  const metadata = new Metadata();
  metadata.set(errorKey, Buffer.from(jsonOf(error)));
  const { retryAfterMs } = error.details;
  if (typeof retryAfterMs === 'number') metadata.set(pushbackKey, String(retryAfterMs));
  return { code: status[error.status], details: shortened(error.message), metadata };
}

function jsonOf({ service, code, message, retriable, details }: LoopError): string {
  const json = JSON.stringify({ service, code, message, retriable, details });
  const clean = json.length > 2 * largestDetails ? json : redacted(json);
  if (Buffer.byteLength(clean) <= largestDetails) return clean;
  return JSON.stringify({ service, code, message: shortened(message), retriable, details: { truncated: true } });
}

/** Half a surrogate pair cannot be encoded in a header; a credential may not be in one. */
function shortened(message: string): string {
  return redactedWithin(longestMessage, message);
}

/** A status that somebody made on purpose. */
export function isStatus(error: unknown): error is { code: status; details: string; metadata?: Metadata } {
  const e = error as { code?: unknown; details?: unknown };
  return typeof e?.code === 'number' && e.code in status && typeof e.details === 'string';
}

/** The code of the typed error that a status carries; '' where it carries none. */
export function codeOf({ metadata }: { metadata?: Metadata }): string {
  const [sent] = metadata?.get(errorKey) ?? [];
  return (sent && parsed(sent)?.code) || '';
}

/** Turns what a client received into a typed error. */
export function errorOfStatus(error: ServiceError, method: string, deadlineMs: number): LoopError {
  const [sent] = error.metadata?.get(errorKey) ?? [];
  const told = sent === undefined ? undefined : parsed(sent);
  const name = status[error.code] as StatusName;
  if (told) return new LoopError(told.service, told.code, told.message, name, told.retriable, told.details);
  if (error.code === status.UNAVAILABLE) return errors.CALL_UNAVAILABLE({ method, reason: error.details });
  if (error.code === status.DEADLINE_EXCEEDED) return errors.CALL_TIMED_OUT({ method, deadlineMs });
  const facts = { method, status: name, reason: error.details };
  const plain = errors.CALL_FAILED(facts);
  return new LoopError('service', 'CALL_FAILED', plain.message, name, false, facts);
}

type Told = Pick<LoopError, 'service' | 'code' | 'message' | 'retriable' | 'details'>;

function parsed(sent: string | Buffer): Told | undefined {
  try {
    const told = JSON.parse(sent.toString()) as Told;
    return typeof told.code === 'string' && typeof told.message === 'string' ? told : undefined;
  } catch {
    return undefined;
  }
}
