/**
 * Up to when everything is known: the promises of a model's sources, and those who wait for them.
 *
 * I1  A watermark never falls; a source in parts (labels: one a bucket) has the lowest of its parts'.
 * I2  Together it is the minimum over the sources that have promised and are not silent: one that lags the furthest
 *     by more than the declared silence no longer holds time back.
 */
import { errors } from '../errors.js';

interface Waiter {
  readonly time: number;
  readonly done: () => void;
}

const waiterLimit = 1000;

export class Watermarks {
  private readonly parts = new Map<string, number[]>();
  private readonly waiters = new Set<Waiter>();

  /** `partsOf` says how many parts a source's promises come in; `silenceMs` is the declared silence. */
  constructor(
    private readonly partsOf: (source: string) => number,
    private readonly silenceMs: number,
  ) {}

  /** A source's promise: everything of this part known at or before `ms` has been sent. */
  advance(source: string, part: number, ms: number): void {
    const parts = this.parts.get(source) ?? Array(this.partsOf(source)).fill(Number.NEGATIVE_INFINITY);
    this.parts.set(source, parts);
    parts[part] = Math.max(parts[part], ms);
    for (const waiter of this.waiters) if (this.reached(waiter.time)) waiter.done();
  }

  of(source: string): number | undefined {
    const parts = this.parts.get(source);
    return parts && Math.min(...parts);
  }

  partsOfSource(source: string): number[] | undefined {
    return this.parts.get(source);
  }

  /** The model's watermark (epoch ms); undefined before any promise. */
  now(): number | undefined {
    if (!this.parts.size) return undefined;
    const all = [...this.parts.values()].map((parts) => Math.min(...parts));
    const furthest = Math.max(...all);
    return Math.min(...all.filter((ms) => ms >= furthest - this.silenceMs));
  }

  reached(time: number): boolean {
    const now = this.now();
    return now === undefined || now >= time;
  }

  /** Resolves once the watermark has reached a time, or when `deadlineMs` of wall time have passed. */
  async wait(time: number, deadlineMs: number): Promise<void> {
    if (deadlineMs <= 0 || this.reached(time)) return;
    if (this.waiters.size >= waiterLimit) throw errors.TOO_MANY_WAITING({ limit: waiterLimit });
    await new Promise<void>((resolve) => {
      const waiter = { time, done: () => finish() };
      const timer = setTimeout(() => finish(), deadlineMs);
      const finish = () => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        resolve();
      };
      this.waiters.add(waiter);
    });
  }
}
