/**
 * Points of serving that a test may watch, or die at: channels of node:diagnostics_channel. Nothing hangs on them, and a
 * channel that nobody watches is an empty call. The message is the model, tenant/name.
 */
import { channel } from 'node:diagnostics_channel';

export const servingPoints = {
  /** A rollout's graphs are loaded, and it is neither on disk nor in use. */
  beforeSwap: channel('driftloop:serving.before-swap'),
  /** It is on disk and answers. */
  afterSwap: channel('driftloop:serving.after-swap'),
  /** Answers have been given, and the batch that logs them goes out. */
  beforeBatch: channel('driftloop:serving.before-batch'),
  afterBatch: channel('driftloop:serving.after-batch'),
} as const;
