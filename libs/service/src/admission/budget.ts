/**
 * Bytes in flight: what all requests of a server hold while they are received and worked on.
 *
 * I1  It never exceeds the total, and no caller has more than its share of it.
 * I2  What does not fit is refused at once (OVERLOADED); nobody waits for bytes, so that nobody waits for another's.
 * I3  A lease gives back what it took, once; it takes nothing afterwards.
 */
import { overloaded } from './overloaded.js';

export interface BytesLease {
  /** Throws OVERLOADED. */
  take(bytes: number): void;
  give(bytes: number): void;
  /** Gives all of it back. */
  release(): void;
}

export class ByteBudget {
  #used = 0;
  readonly #byCaller = new Map<string, number>();

  constructor(
    private readonly total: number,
    private readonly share: number,
  ) {}

  get used(): number {
    return this.#used;
  }

  lease(caller: string): BytesLease {
    let held = 0;
    let over = false;
    const add = (bytes: number) => {
      held += bytes;
      this.#add(caller, bytes);
    };
    return {
      take: (bytes) => {
        if (over || !this.#fits(caller, bytes)) throw overloaded('bytes in flight');
        add(bytes);
      },
      give: (bytes) => add(-Math.min(bytes, held)),
      release: () => {
        over = true;
        add(-held);
      },
    };
  }

  #fits(caller: string, bytes: number): boolean {
    const own = (this.#byCaller.get(caller) ?? 0) + bytes;
    return this.#used + bytes <= this.total && own <= this.total * this.share;
  }

  #add(caller: string, bytes: number): void {
    this.#used += bytes;
    const own = (this.#byCaller.get(caller) ?? 0) + bytes;
    if (own > 0) this.#byCaller.set(caller, own);
    else this.#byCaller.delete(caller);
  }
}
