/** The feature store's lines of work: bounded, and each says what it is a line of. */
import { Serial } from '@driftloop/service';
import { errors } from './errors.js';

/** A line of `what`. One above the limit is TOO_BUSY (retriable). */
export function lineOf(what: string, limit: number): Serial {
  return new Serial(limit, () => errors.TOO_BUSY({ what, limit }));
}
