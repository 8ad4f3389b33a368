/**
 * Points of the replay that a test may watch, or die at: channels of node:diagnostics_channel. Nothing hangs on them, and a
 * channel that nobody watches is an empty call.
 */
import { channel } from 'node:diagnostics_channel';

export const replayPoints = {
  /** Facts of a step are told, and its questions not asked. */
  told: channel('driftloop:replay.told'),
  /** Its questions are answered, and time has not passed. */
  asked: channel('driftloop:replay.asked'),
  /** Time has passed, and the diary does not say so. */
  beforeDiary: channel('driftloop:replay.before-diary'),
  /** The diary has the answers, and not the position. */
  betweenDiary: channel('driftloop:replay.between-diary'),
  afterDiary: channel('driftloop:replay.after-diary'),
} as const;
