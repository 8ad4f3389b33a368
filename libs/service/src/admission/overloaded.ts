/** The error of what does not fit now, with the hint when to try again. */
import type { LoopError } from '@driftloop/contracts';
import { errors } from '../errors.js';

/** When a caller that was refused may try again, ms. */
const retryAfterMs = 200;

const made = new Map<string, LoopError>();

/** One error for all that are refused for a reason: to refuse has to cost less than to answer. */
export function overloaded(reason: 'queue' | 'streams' | 'waiting calls' | 'bytes in flight' | 'late'): LoopError {
  const error = made.get(reason) ?? errors.OVERLOADED({ reason, retryAfterMs });
  made.set(reason, error);
  return error;
}
