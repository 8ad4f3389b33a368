/**
 * Requests to an S3 server: time limits, bounded retries, and its errors in the port's terms.
 *
 * I1  A request that hears nothing for `timeoutMs` ends; one that failed because the server is away is tried `tries` times.
 * I2  An error carries what the server said (its code and message) and never what was sent: no key, no signature.
 */
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoopError } from '@driftloop/contracts';
import { errors } from './errors.js';

export interface Patience {
  /** Longest silence of one request, ms. */
  readonly timeoutMs: number;
  /** How often a request is sent before the server counts as away. */
  readonly tries: number;
  /** First wait between tries, ms; doubles. */
  readonly retryMs: number;
}

/** HTTP statuses that say that the server cannot now. */
const cannotNow = new Set([408, 429, 500, 502, 503, 504]);

const awayCodes = new Set(
  `ECONNREFUSED ECONNRESET ECONNABORTED ETIMEDOUT EPIPE ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH EHOSTDOWN
  ERR_STREAM_PREMATURE_CLOSE HPE_INVALID_CONSTANT SlowDown SlowDownRead SlowDownWrite ServiceUnavailable InternalError
  RequestTimeout XMinioServerNotInitialized OperationAborted`.split(/\s+/),
);

/** Codes with which a server refuses who asks, and not what is asked. */
const refusals = new Set(
  `AccessDenied InvalidAccessKeyId SignatureDoesNotMatch RequestTimeTooSkewed ExpiredToken InvalidTokenId
  AllAccessDisabled AccountProblem AuthorizationHeaderMalformed`.split(/\s+/),
);

export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

/** Whether the server refuses the access key, its secret or its rights. */
export function isRefusal(error: unknown): boolean {
  return refusals.has(codeOf(error));
}

/** Whether the server says that there is no such object (a HEAD has no body to say more in). */
export function isMissing(error: unknown): boolean {
  return ['NoSuchKey', 'NotFound'].includes(codeOf(error));
}

/** http or https with a limit on silence (I1), for the S3 client. */
export function patientTransport(secure: boolean, { timeoutMs }: Patience) {
  const request = (secure ? https.request : http.request) as typeof http.request;
  return {
    request(options: http.RequestOptions, heard: (response: http.IncomingMessage) => void): http.ClientRequest {
      const sent = request({ ...options, timeout: timeoutMs }, (response) => {
        // The client reads no further than the status of these; an unread answer would keep its connection.
        if (cannotNow.has(response.statusCode ?? 0)) response.resume();
        heard(response);
      });
      const silence = () => Object.assign(new Error(`nothing was heard for ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
      return sent.on('timeout', () => sent.destroy(silence()));
    },
  };
}

/** Runs a request, again while the server is away. What it throws is the server's or the network's own error. */
export async function patiently<T>({ tries, retryMs }: Patience, request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (error) {
      if (attempt >= tries || !isAway(error)) throw error;
      await sleep(retryMs * 2 ** (attempt - 1));
    }
  }
}

function isAway(error: unknown): boolean {
  return awayCodes.has(codeOf(error)) || /Retryable HTTP status|\baborted\b/.test((error as Error)?.message ?? '');
}

/**
 * What a request threw, in the port's terms. Whatever the server refuses while we run is OBJECTS_UNAVAILABLE: the event
 * that is being handled is not at fault, so it must wait and not be dead-lettered; the reason says what to mend.
 */
export function inPortTerms(error: unknown, key: string | undefined): unknown {
  if (error instanceof LoopError || error instanceof TypeError) return error;
  if (key !== undefined && isMissing(error)) return errors.OBJECT_NOT_FOUND({ key });
  return errors.OBJECTS_UNAVAILABLE({ reason: reasonOf(error) });
}

/** The code and message of an error, and what to do about it where that is known (I2). */
export function reasonOf(error: unknown): string {
  const { message } = error as Error;
  const said = [codeOf(error), message].filter(Boolean).join(': ');
  if (isRefusal(error)) return `it refuses our access key (${said}); check the key, its secret and its rights`;
  if (codeOf(error) === 'NoSuchBucket') return `${said}; make the bucket again, or restart to have it made`;
  return said;
}
