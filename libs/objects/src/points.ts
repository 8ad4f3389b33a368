/**
 * Points of the objects that a test may watch, or die at: channels of node:diagnostics_channel. Nothing hangs on them, and
 * a channel that nobody watches is an empty call. The message is the object's key.
 */
import { channel } from 'node:diagnostics_channel';

export const objectsPoints = {
  /** The bytes are durable beside the tree, and not under their key yet. */
  beforePlace: channel('driftloop:objects.before-place'),
  afterPlace: channel('driftloop:objects.after-place'),
} as const;
