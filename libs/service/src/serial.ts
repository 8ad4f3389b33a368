/** Work in turn: what must not interleave waits in one bounded line. */
import type { QueueState } from './telemetry/metrics.js';

/** Several lines as one: the longest, and what all of them refused. */
export const statesOf = (lines: Iterable<Serial>): QueueState =>
  [...lines].reduce<QueueState>(
    (all, { state }) => ({
      depth: Math.max(all.depth, state.depth),
      refused: (all.refused ?? 0) + (state.refused ?? 0),
    }),
    { depth: 0, refused: 0 },
  );

export class Serial {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private refused = 0;

  /** `limit` works at most, the running one included; `full` makes the (retriable) error of one more. */
  constructor(
    readonly limit: number,
    private readonly full: (limit: number) => Error,
  ) {}

  /** The line now, the running work included, and what was refused so far. */
  get state(): QueueState {
    return { depth: this.waiting, refused: this.refused };
  }

  /**
   * Runs work when everything before it is over, however it ended. Throws what `full` makes when the line is full. Whose
   * `signal` aborts while it waits leaves the line; what has begun ends.
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.waiting >= this.limit) {
      this.refused++;
      throw this.full(this.limit);
    }
    this.waiting++;
    let begun = false;
    let left: () => void = () => {};
    const begin = () => {
      if (signal?.aborted) throw signal.reason;
      begun = true;
      return work();
    };
    const turn = this.last.then(begin, begin);
    this.last = turn.catch(() => undefined);
    const leaving = new Promise<never>((_, reject) => {
      left = () => !begun && reject(signal!.reason);
      signal?.addEventListener('abort', left, { once: true });
    });
    try {
      return await (signal ? Promise.race([turn, leaving]) : turn);
    } finally {
      signal?.removeEventListener('abort', left);
      this.waiting--;
    }
  }
}
