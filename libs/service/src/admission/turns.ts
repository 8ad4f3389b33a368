/**
 * Turns of questions: so many are answered at a time, so many wait, the others are refused at once.
 *
 * I1  A question is granted its turn, or refused (OVERLOADED), or leaves by itself; once, and within the longest wait.
 * I2  Callers take turns, whatever each has waiting: who holds its share gets another only while nobody with less waits,
 *     and nobody fills the queue.
 * I3  No more begin in one turn of the event loop than it did well with: where one took too long, half as many do next
 *     time. Work that only burns the processor would else all begin at once, and all of it be late.
 *     Never fewer than `fewest`: a loop may be late through work that is none of ours.
 * I4  A queue that stands is no burst: all who wait in it would be answered late, so they are refused early (controlled
 *     delay; Maurer, "Fail at Scale", ACM Queue 2015). Time in which the event loop stood still does not count: nobody
 *     could have had a turn in it.
 */
import type { DoorLimits } from './limits.js';
import { overloaded } from './overloaded.js';

type Limits = Pick<DoorLimits, 'running' | 'queued' | 'share' | 'longestWaitMs' | 'standingMs' | 'standingWaitMs'>;

interface Waiter {
  readonly since: number;
  readonly grant: () => void;
  readonly refuse: (error: Error) => void;
}

export interface Turn {
  /** Resolves when it is the question's turn. Throws OVERLOADED. */
  readonly granted: Promise<void>;
  /** Ends it, or the wait for it. */
  leave(): void;
}

/** A turn of the event loop that took longer began too much (I3), ms. */
const longestLoopMs = 10;
/** Longer than this nothing that was begun here holds up the event loop (I4), ms. */
const standstillMs = 100;
/** So many may begin in a turn of the event loop, however late it is (I3). */
const fewest = 16;
/** How often the queue is looked through for who has waited too long, ms. */
const expiryMs = 5;
const atOnce = Promise.resolve();

export class Turns {
  #running = 0;
  #queued = 0;
  #refused = 0;
  readonly #byCaller = new Map<string, number>();
  /** In the order in which callers are next. */
  readonly #waiting = new Map<string, Waiter[]>();
  /** What the clock said last, and the time that has passed but for standstills (I4). */
  #seen: number;
  #passed = 0;
  /** When the queue was last empty because everybody had had a turn. */
  #emptyAt = 0;
  #shedding = false;
  #begun = 0;
  #most = fewest;
  #loopSince = 0;
  #looping = false;
  #expiring = false;

  constructor(
    private readonly limits: Limits,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#seen = now();
  }

  get state() {
    return { depth: this.#queued, refused: this.#refused };
  }

  get running(): number {
    return this.#running;
  }

  /** Whether one more question of the caller would be refused now. */
  full(caller: string): boolean {
    const own = this.#waiting.get(caller)?.length ?? 0;
    const { queued, share } = this.limits;
    return this.#queued >= queued || own >= Math.max(1, queued * share);
  }

  /** Asks for a turn. Throws OVERLOADED where the queue is full. */
  enter(caller: string): Turn {
    if (this.#queued === 0 && this.#free) {
      this.#begin(caller);
      return { granted: atOnce, leave: this.#leaving(caller) };
    }
    if (this.full(caller)) {
      this.#refused++;
      throw overloaded('queue');
    }
    return this.#wait(caller);
  }

  #wait(caller: string): Turn {
    const { promise: granted, resolve, reject } = Promise.withResolvers<void>();
    let leave: (() => void) | undefined;
    const grant = () => {
      leave = this.#leaving(caller);
      resolve();
    };
    if (this.#queued === 0) this.#seen = this.now();
    const waiter: Waiter = { since: this.#passed, grant, refuse: reject };
    const line = this.#waiting.get(caller);
    if (line) line.push(waiter);
    else this.#waiting.set(caller, [waiter]);
    this.#queued++;
    this.#expireLater();
    this.#loop();
    return { granted, leave: () => (leave ? leave() : this.#drop(caller, waiter)) };
  }

  #drop(caller: string, waiter: Waiter): void {
    const at = this.#waiting.get(caller)?.indexOf(waiter) ?? -1;
    if (at >= 0) this.#take(caller, at);
  }

  get #free(): boolean {
    return this.#running < this.limits.running && this.#begun < this.#most;
  }

  #begin(caller: string): void {
    this.#running++;
    this.#begun++;
    this.#byCaller.set(caller, (this.#byCaller.get(caller) ?? 0) + 1);
    this.#loop();
  }

  #leaving(caller: string): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#running--;
      const own = this.#byCaller.get(caller)! - 1;
      if (own > 0) this.#byCaller.set(caller, own);
      else this.#byCaller.delete(caller);
      if (this.#queued) this.#loop();
    };
  }

  /** I3: one turn of the event loop, from the first that began in it to the end of what that made it do. */
  #loop(): void {
    if (this.#looping) return;
    this.#looping = true;
    this.#loopSince = this.now();
    setImmediate(() => {
      this.#looping = false;
      const late = this.now() - this.#loopSince > longestLoopMs;
      if (late) this.#most = Math.max(fewest, this.#most >> 1);
      else if (this.#begun >= this.#most) this.#most = Math.min(this.#most * 2, this.limits.running);
      this.#begun = 0;
      if (!this.#queued && !this.#shedding) this.#emptyAt = this.#passed;
      this.#shedding = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#queued && this.#free) {
      const caller = this.#next();
      this.#begin(caller);
      this.#take(caller, 0).grant();
    }
  }

  /** I2 */
  #next(): string {
    const share = Math.max(1, this.limits.running * this.limits.share);
    let first: string | undefined;
    for (const caller of this.#waiting.keys()) {
      first ??= caller;
      if ((this.#byCaller.get(caller) ?? 0) < share) return caller;
    }
    return first!;
  }

  /** Takes a waiter out of its line; its caller goes behind the others. */
  #take(caller: string, at: number): Waiter {
    const line = this.#waiting.get(caller)!;
    const [waiter] = line.splice(at, 1);
    this.#waiting.delete(caller);
    if (line.length) this.#waiting.set(caller, line);
    this.#queued--;
    return waiter;
  }

  #expireLater(): void {
    if (this.#expiring) return;
    this.#expiring = true;
    setTimeout(() => {
      this.#expiring = false;
      this.#expire();
      if (this.#queued) this.#expireLater();
    }, expiryMs).unref();
  }

  /** I4 */
  #expire(): void {
    const { standingMs, standingWaitMs, longestWaitMs } = this.limits;
    const now = this.now();
    this.#passed += Math.min(now - this.#seen, standstillMs);
    this.#seen = now;
    const passed = this.#passed;
    const patience = passed - this.#emptyAt > standingMs ? standingWaitMs : longestWaitMs;
    for (const [caller, line] of [...this.#waiting])
      while (line.length && passed - line[0].since > patience) {
        this.#refused++;
        this.#shedding = true;
        this.#take(caller, 0).refuse(overloaded('late'));
      }
  }
}
