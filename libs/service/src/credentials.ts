/**
 * Who calls: name, roles, tenant and the right to say what time it is come from the bearer token, never from the payload.
 *
 * I1  A token is found by its digest: how long that takes tells of digests, which nobody can choose a token for.
 * I2  The caller of a call is remembered by its metadata object, which no client can forge.
 */
import { createHash } from 'node:crypto';
import { type Role, suffices, type TokenEntry } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import type { Metadata } from '@grpc/grpc-js';
import { errors } from './errors.js';
import type { Secret, Settings } from './settings.js';

export interface Caller {
  readonly tenant: string;
  /** As records have it: the name that its token has; of a caller without one, its tenant's. */
  readonly name: string;
  readonly roles: readonly Role[];
  /** What limits are counted by: the name, or the connection of a caller without a token. No name looks like a connection. */
  readonly key: string;
  /** Whether the caller may give event times. */
  readonly replay: boolean;
  /** The W3C trace context to pass on. */
  readonly traceparent?: string;
  /** The trace context that the caller gave, as it came: the span that the call is a child of. */
  readonly calledFrom?: string;
}

/** A caller as records name it. */
export const callerName = ({ name }: Caller): string => name;

/** Throws ROLE_MISSING where no role of the caller's suffices; `method` is what it calls. */
export function checkRole({ name, roles }: Caller, needed: Role, method: string): void {
  if (!suffices(roles, needed)) throw errors.ROLE_MISSING({ method, needed, name, roles });
}

/** The tenant of a house without accounts, and of events that belong to nobody in particular. */
export const mainTenant = 'main';

/** What no header may have is in no token: it is refused before anybody passes it on. */
const visible = /^[\x20-\x7e]*$/;

/** Tells callers by their `authorization`. Injectable. */
export class Credentials {
  /** Callers by the digests of their tokens: those of the environment, and those of the token file. */
  readonly #own = new Map<string, Caller>();
  #named: ReadonlyMap<string, Caller> = new Map();
  readonly #needed: boolean;
  readonly #held = new Set<() => void>();

  constructor({ token, replayToken }: Pick<Settings, 'token' | 'replayToken'>) {
    this.#needed = token !== undefined;
    const own = (secret: Secret, name: string, roles: readonly Role[]) =>
      this.#own.set(hash(secret.reveal()), callerOfAccount({ name, roles, tenant: mainTenant }));
    if (token) own(token, 'token', ['admin']);
    if (replayToken) own(replayToken, `${mainTenant} (replay credential)`, ['admin', 'replay']);
  }

  /** Puts these entries in the place of those before: the next call is seen by them, and so is what goes on. */
  replace(entries: readonly TokenEntry[]): void {
    this.#named = new Map(entries.map((entry) => [entry.sha256, callerOfAccount(entry)]));
    for (const look of [...this.#held]) look();
  }

  /**
   * For what goes on, such as a stream: whenever tokens have changed it is let in anew by `check`, and where that throws, `refused`
   * is called with the error, once. Returns what ends this.
   */
  whileHeld(check: () => void, refused: (error: unknown) => void): () => void {
    const look = () => {
      try {
        check();
      } catch (error) {
        this.#held.delete(look);
        refused(error);
      }
    };
    this.#held.add(look);
    return () => this.#held.delete(look);
  }

  /**
   * The caller of an `Authorization` header's value; `connection` is where it calls from, `host:port`. The replay token is a
   * credential too. Where no token is set, everybody on this machine is tenant `main`, known by the connection alone.
   * Throws CREDENTIAL_MISSING or CREDENTIAL_REFUSED.
   */
  caller(authorization: string | undefined, connection: string): Caller {
    if (authorization !== undefined && !visible.test(authorization)) throw errors.CREDENTIAL_REFUSED({});
    const given = authorization?.match(/^Bearer\s+(\S+)$/i)?.[1];
    const known = given === undefined ? undefined : this.#known(hash(given));
    if (known) return known;
    if (!this.#needed) return anybody(connection);
    throw given === undefined ? errors.CREDENTIAL_MISSING({}) : errors.CREDENTIAL_REFUSED({});
  }

  #known(digest: string): Caller | undefined {
    return this.#own.get(digest) ?? this.#named.get(digest);
  }
}

const callerOfAccount = ({ name, roles, tenant }: Pick<Caller, 'name' | 'roles' | 'tenant'>): Caller => ({
  ...{ tenant, name, roles, key: name },
  replay: suffices(roles, 'replay'),
});

/** Whoever has no name where none is needed: on this machine, and nobody to be kept from anything but the time. */
const anybody = (key: string): Caller => ({
  ...{ tenant: mainTenant, name: mainTenant, roles: ['admin'], key, replay: false },
});

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

const callers = new WeakMap<Metadata, Caller>();

/** Remembers whose call has this metadata; the door's work. */
export function rememberCaller(metadata: Metadata, caller: Caller): void {
  callers.set(metadata, caller);
}

/** Who calls, by the metadata that a gRPC handler is given. */
export function callerOf(metadata: Metadata): Caller {
  return callers.get(metadata) ?? anybody('');
}

/**
 * The cause of what a request makes happen. `id` names the request: choose one that is the same when the client asks
 * again (a prediction id, a hash), since the ids of emitted events follow from it. `timeMs`: event time, epoch ms.
 */
export function causeOfRequest(caller: Caller, id: string, timeMs: number): Cause {
  const { tenant, traceparent } = caller;
  return { id, time: timeMs, tenant, ...(traceparent && { traceparent }) };
}
