/**
 * Who calls: the tenant and the right to say what time it is come from the bearer token, never from the payload.
 *
 * I1  A token is compared in constant time.
 * I2  The caller of a call is remembered by its metadata object, which no client can forge.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Cause } from '@driftloop/documents';
import type { Metadata } from '@grpc/grpc-js';
import { errors } from './errors.js';
import type { Secret, Settings } from './settings.js';

export interface Caller {
  readonly tenant: string;
  /** Whether the caller may give event times. */
  readonly replay: boolean;
  /** The W3C trace context to pass on. */
  readonly traceparent?: string;
  /** The trace context that the caller gave, as it came: the span that the call is a child of. */
  readonly calledFrom?: string;
}

/** A caller as records name it: there are no accounts, only tenants and the replay's credential. */
export const callerName = ({ tenant, replay }: Caller): string => (replay ? `${tenant} (replay credential)` : tenant);

/** The tenant of a house without accounts, and of events that belong to nobody in particular. */
export const mainTenant = 'main';

/** What no header may have is in no token: it is refused before anybody passes it on. */
const visible = /^[\x20-\x7e]*$/;

/** Tells callers by their `authorization`. Injectable. */
export class Credentials {
  readonly #token?: Buffer;
  readonly #replayToken?: Buffer;

  constructor(settings: Pick<Settings, 'token' | 'replayToken'>) {
    this.#token = digest(settings.token);
    this.#replayToken = digest(settings.replayToken);
  }

  /**
   * The caller of an `Authorization` header's value. The replay token is a credential too. Without DRIFTLOOP_TOKEN
   * everybody on this machine is tenant `main`. Throws CREDENTIAL_MISSING or CREDENTIAL_REFUSED.
   */
  caller(authorization: string | undefined): Caller {
    if (authorization !== undefined && !visible.test(authorization)) throw errors.CREDENTIAL_REFUSED({});
    const given = authorization?.match(/^Bearer\s+(\S+)$/i)?.[1];
    if (given === undefined && !this.#token) return { tenant: mainTenant, replay: false };
    if (given === undefined) throw errors.CREDENTIAL_MISSING({});
    const found = hash(given);
    const replay = this.#replayToken !== undefined && timingSafeEqual(found, this.#replayToken);
    const known = this.#token !== undefined && timingSafeEqual(found, this.#token);
    if (this.#token && !replay && !known) throw errors.CREDENTIAL_REFUSED({});
    return { tenant: mainTenant, replay };
  }
}

function digest(secret: Secret | undefined): Buffer | undefined {
  return secret && hash(secret.reveal());
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const callers = new WeakMap<Metadata, Caller>();

/** Remembers whose call has this metadata; the door's work. */
export function rememberCaller(metadata: Metadata, caller: Caller): void {
  callers.set(metadata, caller);
}

/** Who calls, by the metadata that a gRPC handler is given. */
export function callerOf(metadata: Metadata): Caller {
  return callers.get(metadata) ?? { tenant: mainTenant, replay: false };
}

/**
 * The cause of what a request makes happen. `id` names the request: choose one that is the same when the client asks
 * again (a prediction id, a hash), since the ids of emitted events follow from it. `timeMs`: event time, epoch ms.
 */
export function causeOfRequest(caller: Caller, id: string, timeMs: number): Cause {
  const { tenant, traceparent } = caller;
  return { id, time: timeMs, tenant, ...(traceparent && { traceparent }) };
}
