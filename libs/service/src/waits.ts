/** A wait ends with its caller. */
import { errors } from './errors.js';

/** What of a server's call says who is at its other end, and whether they are still there. */
export interface WaitedFor {
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** Aborts once nobody reads the answer of a call any more: cancelled, hung up, or past its deadline. */
export function abandonment(call: WaitedFor): AbortSignal {
  const gone = new AbortController();
  const abort = () => gone.abort(errors.CALL_ABANDONED({}));
  if (call.cancelled) abort();
  else call.once('cancelled', abort);
  return gone.signal;
}
