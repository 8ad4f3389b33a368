/**
 * Questions that go to the feature store together, and those who wait for them.
 *
 * I1  It stays so far below the largest message that its questions alone never make it too large.
 * I2  Who has gone is not asked for.
 */
import type { FeatureQuestion, FeatureRow } from '@driftloop/contracts';
import type { ServedModel } from './served-models.js';

export type Question = FeatureQuestion;

/** A row in the asking model's layout. */
export type StoredRow = Pick<
  FeatureRow,
  'numbers' | 'texts' | 'unknownEntity' | 'entityTime' | 'complete' | 'behindMs' | 'stale'
>;

export interface Waiting {
  readonly question: Question;
  readonly resolve: (row: StoredRow | undefined) => void;
  readonly reject: (error: unknown) => void;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Wall ms that a replayed question waits at most; a live one waits as long as its caller is patient. */
const replayMs = 60_000;
const largestBatch = 200;
/** Most bytes of a batch's questions. */
const batchBytes = 2 * 1024 * 1024;
/** Of a question's frame, and of an input's: tags, lengths, a number. */
const frameBytes = 64;
/** Of a character in UTF-8, at most. */
const characterBytes = 3;

export class OnlineBatch {
  sent = false;
  /** Wall ms that its questions have. */
  readonly patienceMs: number;
  readonly replay: boolean;
  /** Whether a caller gave its questions' times. */
  readonly stamped: boolean;
  private readonly waiting: Waiting[] = [];
  private bytes = 0;

  constructor(
    readonly model: ServedModel,
    { replay, stamped, patienceMs }: Pick<Reading, 'replay' | 'stamped' | 'patienceMs'>,
  ) {
    this.replay = replay;
    this.stamped = stamped;
    this.patienceMs = replay ? replayMs : patienceMs;
  }

  get full(): boolean {
    return this.waiting.length >= largestBatch;
  }

  /** Whether so many bytes more have room. */
  takes(bytes: number): boolean {
    return !this.sent && !this.full && (!this.bytes || this.bytes + bytes <= batchBytes);
  }

  /** Those who still wait (I2). */
  get present(): Waiting[] {
    return this.waiting.filter(({ signal }) => !signal.aborted);
  }

  add(waiting: Waiting): void {
    const { signal, reject } = waiting;
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    const over =
      <T>(end: (value: T) => void) =>
      (value: T) => {
        signal.removeEventListener('abort', leave);
        end(value);
      };
    this.waiting.push({ ...waiting, resolve: over(waiting.resolve), reject: over(reject) });
    this.bytes += sizeOf(waiting.question);
  }

  /** A signal that aborts once all of some have gone; `release` it. */
  whileAnyWaits(waiting: readonly Waiting[]): { signal: AbortSignal; release: () => void } {
    const gone = new AbortController();
    let left = waiting.length;
    const leave = () => --left || gone.abort();
    for (const { signal } of waiting)
      signal.aborted ? leave() : signal.addEventListener('abort', leave, { once: true });
    const release = () => {
      for (const { signal } of waiting) signal.removeEventListener('abort', leave);
    };
    return { signal: gone.signal, release };
  }
}

/** Greatest size of a question in bytes, without encoding it (I1). */
export function sizeOf({ entityId, inputs }: Question): number {
  let size = frameBytes + entityId.length * characterBytes;
  for (const [name, { kind }] of Object.entries(inputs)) {
    const value = kind?.value;
    size += frameBytes + (name.length + (typeof value === 'string' ? value.length : 0)) * characterBytes;
  }
  return size;
}

/** How a request's features are to be read. */
export interface Reading {
  /** The questions' event time, epoch ms. */
  readonly time: number;
  /** Whether the caller gave the time. */
  readonly stamped: boolean;
  /** Whether the answer waits until the store has read all of that time. */
  readonly replay: boolean;
  /** Wall ms that a live caller has. */
  readonly patienceMs: number;
  readonly caller: string;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}
