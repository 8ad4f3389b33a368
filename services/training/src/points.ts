/**
 * Points of a training that a test may watch, or die at: channels of node:diagnostics_channel. Nothing hangs on them, and a
 * channel that nobody watches is an empty call. The message is the step.
 */
import { channel } from 'node:diagnostics_channel';

export const trainingPoints = {
  /** On the thread: a step (`trials`, `parameters`, `twin`, `calibrator`, `released`) is done, and nobody has been told. */
  step: channel('driftloop:training.step'),
  /** In the service: a step is in the job's checkpoint. */
  checkpoint: channel('driftloop:training.checkpoint'),
  /** The candidate and its artifacts are there, and the job does not say so yet. */
  beforeFinish: channel('driftloop:training.before-finish'),
  afterFinish: channel('driftloop:training.after-finish'),
} as const;
