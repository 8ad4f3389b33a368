/** Work in turn: what must not interleave waits in one bounded line. */

export class Serial {
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** `limit` works at most, the running one included; `full` makes the (retriable) error of one more. */
  constructor(
    private readonly limit: number,
    private readonly full: (limit: number) => Error,
  ) {}

  /** Runs work when everything before it is over, however it ended. Throws what `full` makes when the line is full. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.waiting >= this.limit) throw this.full(this.limit);
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
