/**
 * Points of a handler that a test may watch, or die at: channels of node:diagnostics_channel. Nothing hangs on them, and a
 * channel that nobody watches is an empty call. The message is the group.
 */
import { channel } from 'node:diagnostics_channel';

export const servicePoints = {
  /** An event has come to a group's handler, which has done nothing yet. */
  inHandler: channel('driftloop:service.in-handler'),
  /** The handler has done its work, and the bus does not know it yet. */
  afterHandler: channel('driftloop:service.after-handler'),
} as const;
