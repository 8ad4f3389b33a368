/** Work in turn: what must not interleave waits in one bounded line. */
import { errors } from './errors.js';

export class Serial {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** `what` names the work when the line is full. */
  constructor(
    private readonly what: string,
    private readonly limit: number,
  ) {}

  /** Runs work when everything before it is over. Throws TOO_BUSY (retriable) when the line is full. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.limit) throw errors.TOO_BUSY({ what: this.what, limit: this.limit });
    this.waiting++;
    const turn = this.last.then(work, work);
    this.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.waiting--;
    }
  }
}
