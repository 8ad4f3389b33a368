/**
 * When the bus is settled.
 *
 * I1  A reader is at work from the moment when an event is there for it until its place is past the last one; a running
 *     handler and a paused partition are work. A publish makes its readers work before it resolves, so that there is no
 *     moment between a handler's end and the start of what it published.
 * I2  The bus is still when no reader works and nobody holds it. Waiters are told on that very transition, after the
 *     offsets are durable: nothing polls.
 */
interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

export class Stillness {
  #working = 0;
  readonly #holds = new Map<symbol, string>();
  #waiters: Waiter[] = [];

  /** `makeDurable` writes the offsets and says whether it could; if not, `check` is called again later. */
  constructor(readonly makeDurable: () => boolean) {}

  /** Why the bus is not still: the reasons of those who hold it. */
  get reasons(): string[] {
    return [...this.#holds.values()];
  }

  begin(): void {
    this.#working++;
  }

  end(): void {
    this.#working--;
    this.check();
  }

  hold(reason: string): { release(): void } {
    const hold = Symbol(reason);
    this.#holds.set(hold, reason);
    const release = () => {
      if (this.#holds.delete(hold)) this.check();
    };
    return { release };
  }

  settled(): Promise<void> {
    if (this.#still() && this.makeDurable()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  check(): void {
    if (this.#waiters.length === 0 || !this.#still() || !this.makeDurable()) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  /** Nobody will hear the rest: waiters get the error. */
  abandon(error: unknown): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(error);
  }

  #still(): boolean {
    return this.#working === 0 && this.#holds.size === 0;
  }
}
