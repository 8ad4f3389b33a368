/** Clocks for specs: one that moves by hand, one that runs faster than the wall's. */
import { setImmediate as turn } from 'node:timers/promises';
import { WallClock } from '@driftloop/service';

const turnsAStep = 50;

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** Stands still until it is moved; what is due meanwhile is done in order. */
export class HandClock extends WallClock {
  #now: number;
  readonly #start: number;
  #timers: Timer[] = [];

  constructor(start = Date.UTC(2026, 0, 1)) {
    super();
    this.#now = start;
    this.#start = start;
  }

  override now(): number {
    return this.#now;
  }

  override wall(): number {
    return this.now();
  }

  override elapsed(): number {
    return this.#now - this.#start;
  }

  override after(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves on by `ms`, doing what comes due at its own instant. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.work();
    }
    this.#now = end;
  }

  /**
   * Moves on in steps, and lets what each step has begun on embedded documents and bus come to its end: that takes turns
   * of the event loop, however slow the machine is.
   */
  async live(ms: number, step = 1000): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.pass(Math.min(step, left));
      for (let i = 0; i < turnsAStep; i++) await turn();
    }
  }
}

/** Runs `speed` times as fast as the wall's clock, from a moment on. */
export class FastClock extends WallClock {
  readonly #began = performance.now();

  constructor(
    private readonly start: number,
    private readonly speed: number,
  ) {
    super();
  }

  override now(): number {
    return Math.floor(this.start + this.elapsed());
  }

  override wall(): number {
    return this.now();
  }

  override elapsed(): number {
    return (performance.now() - this.#began) * this.speed;
  }

  override after(ms: number, work: () => void): () => void {
    return super.after(ms / this.speed, work);
  }
}
