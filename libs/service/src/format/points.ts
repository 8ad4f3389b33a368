/**
 * Points of a migration that a test may die at: channels of node:diagnostics_channel. Nothing hangs on them, and a channel
 * that nobody watches is an empty call. The message is the number that the step leads to.
 */
import { channel } from 'node:diagnostics_channel';

export const formatPoints = {
  /** A step has done its work, and the number is the one before. */
  beforeNumber: channel('driftloop:format.before-number'),
  /** The number is durable, and the next step has not begun. */
  afterNumber: channel('driftloop:format.after-number'),
} as const;
