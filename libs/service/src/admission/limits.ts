/**
 * What a door lets in: how large a method's messages are, how many calls are answered at a time, and how long a caller may
 * take. A method that is not named here has the small limits: a question fits into them many times over.
 */
import type { CountLimits } from './wire-count.js';

/**
 * How calls of a method are admitted: `question`: in their turn, or refused; `waiting`: they wait for the world (a
 * watermark, a training set), so that a turn of theirs would hold up what they wait for, and only their number is bounded.
 */
export type Admitted = 'question' | 'waiting';

export interface MethodLimits extends CountLimits {
  /** The largest message, before and after compression. */
  readonly bytes: number;
  readonly admitted: Admitted;
  /** How long a stream may send nothing while it is asked for more, ms of wall time. */
  readonly idleMs: number;
}

/** What a server has for all of its callers. */
export interface DoorLimits {
  /** Questions that are answered at a time. */
  readonly running: number;
  /** Questions that wait for their turn. */
  readonly queued: number;
  /** Calls that wait for the world. */
  readonly waiting: number;
  /** Streams that are open. */
  readonly streams: number;
  /** Bytes of requests that are received or worked on, what they become when decoded included. */
  readonly bytes: number;
  /** What one caller may have of the bytes and streams, and of turns while others wait. */
  readonly share: number;
  /** How long a call waits for its turn. */
  readonly longestWaitMs: number;
  /** A queue that was not empty for so long is no burst: then a call waits `standingWaitMs` at most. */
  readonly standingMs: number;
  readonly standingWaitMs: number;
  /** How long the one message of a call may take to arrive. */
  readonly receiveMs: number;
  /** How long any stream may send nothing, whatever its method says. */
  readonly idleMs: number;
  /** How long a caller may leave a reply unread. */
  readonly unreadMs: number;
}

const mib = 1024 * 1024;

export const usualDoor: DoorLimits = {
  ...{ running: 256, queued: 512, waiting: 2048, streams: 256, bytes: 192 * mib, share: 0.5 },
  ...{ longestWaitMs: 1000, standingMs: 500, standingWaitMs: 20, receiveMs: 30_000 },
  ...{ idleMs: 3_600_000, unreadMs: 60_000 },
};

const idleMs = 60_000;
const usual: MethodLimits = { bytes: 64 * 1024, messages: 1000, values: 10_000, admitted: 'question', idleMs };
const spec: MethodLimits = { ...usual, bytes: mib };
const outcomes: MethodLimits = { ...usual, bytes: 8 * mib, messages: 200_000, values: 600_000 };

const methods = new Map<string, MethodLimits>([
  ['/driftloop.v1.Labeling/RecordOutcomes', outcomes],
  ['/driftloop.v1.Labeling/StreamOutcomes', outcomes],
  ['/driftloop.v1.Registry/Apply', spec],
  ['/driftloop.v1.Training/Simulate', spec],
  ['/driftloop.v1.Admin/ReplayDeadLetters', spec],
  ['/driftloop.v1.Admin/DiscardDeadLetters', spec],
  ['/driftloop.v1.FeatureStore/BuildTrainingSet', { ...spec, messages: 30_000, values: 100_000, admitted: 'waiting' }],
  ['/driftloop.v1.FeatureStore/ReadOnline', batch('waiting')],
  // A source that is quiet for an hour is quiet; its stream is opened again when it has something to say.
  ['/driftloop.v1.FeatureStore/Ingest', { ...batch('question'), idleMs: 3_600_000 }],
  ['/driftloop.v1.FeatureStore/IngestFile', { ...usual, bytes: 16 * mib }],
  ['/inference.GRPCInferenceService/ModelInfer', { ...usual, bytes: 16 * mib, messages: 10_000, values: 2_100_000 }],
]);

/** Ten thousand rows of some thirty columns. */
function batch(admitted: Admitted): MethodLimits {
  return { bytes: 16 * mib, messages: 500_000, values: 2_000_000, admitted, idleMs };
}

export const limitsOf = (path: string): MethodLimits => methods.get(path) ?? usual;
