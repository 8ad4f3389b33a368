/** A wait ends with its caller. */
import { errors } from './errors.js';

/** What of a server's call says who is at its other end, and whether they are still there. */
export interface WaitedFor {
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** One for all: calls that have been answered end so too, and each would pay for a stack that nobody reads. */
const abandoned = errors.CALL_ABANDONED({});

/** Aborts once nobody reads the answer of a call any more: cancelled, hung up, or past its deadline. */
export function abandonment(call: WaitedFor): AbortSignal {
  const gone = new AbortController();
  const abort = () => gone.abort(abandoned);
  if (call.cancelled) abort();
  else call.once('cancelled', abort);
  return gone.signal;
}
