/**
 * Points of the bus that a test may watch, or die at: channels of node:diagnostics_channel. Nothing of the bus hangs on
 * them, and a channel that nobody watches is an empty call. The message says which: a topic, or nothing.
 */
import { channel } from 'node:diagnostics_channel';

export const busPoints = {
  /** Events are about to be made durable. */
  beforePublish: channel('driftloop:bus.before-publish'),
  /** They are durable, and nobody has been woken. */
  afterPublish: channel('driftloop:bus.after-publish'),
  /** Handlers have ended, and the places of their groups are about to be made durable. */
  beforeCommitOffset: channel('driftloop:bus.before-commit-offset'),
  afterCommitOffset: channel('driftloop:bus.after-commit-offset'),
} as const;
