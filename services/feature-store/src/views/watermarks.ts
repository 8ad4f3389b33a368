/**
 * Up to when everything is known: the promises of a model's sources, and those who wait for them.
 *
 * I1  A watermark never falls, unless a person takes it back; a source in parts (labels: one a bucket) has the lowest of
 *     its parts'.
 * I2  Together it is the minimum over the sources that have promised and are not silent: one that lags by more than the
 *     declared silence no longer holds time back. Where there are three or more, one alone makes no other silent: it
 *     lags behind what two of them have come to.
 * I3  A wait ends with its caller, and each caller has places of its own: what others wait for keeps nobody out.
 */
import { Places } from '@driftloop/service';
import { errors } from '../errors.js';

interface Waiter {
  readonly time: number;
  readonly done: () => void;
}

/** Waits of one caller, and of all, at most. */
const waiterLimits = { each: 250, all: 10_000 };

/** Whose wait it is, and when it is over for them. */
export interface Asker {
  readonly caller: string;
  readonly signal?: AbortSignal;
}

export class Watermarks {
  private readonly parts = new Map<string, number[]>();
  private readonly waiters = new Set<Waiter>();
  private readonly places = new Places(waiterLimits, (limit) => errors.TOO_MANY_WAITING({ limit }));

  /** `partsOf` says how many parts a source's promises come in; `silenceMs` is the declared silence. */
  constructor(
    private readonly partsOf: (source: string) => number,
    readonly silenceMs: number,
  ) {}

  /** A source's promise: everything of this part known at or before `ms` has been sent. */
  advance(source: string, part: number, ms: number): void {
    const parts = this.parts.get(source) ?? this.noneOf(source);
    this.parts.set(source, parts);
    parts[part] = Math.max(parts[part], ms);
    this.wake();
  }

  /** What a source has promised by part as its durable rows say it, further or not than what is known here. */
  restore(source: string, promised: readonly (number | null)[]): void {
    const parts = this.noneOf(source);
    for (const [part, ms] of promised.entries()) parts[part] = ms ?? Number.NEGATIVE_INFINITY;
    if (parts.some(Number.isFinite)) this.parts.set(source, parts);
    else this.parts.delete(source);
    this.wake();
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
    const all = this.all();
    const spoken = this.spoken(all);
    return Math.min(...all.filter((ms) => ms >= spoken - this.silenceMs));
  }

  /** Whether nobody waits for a source any more (I2). */
  silent(source: string): boolean {
    const own = this.of(source);
    return own !== undefined && own < this.spoken(this.all()) - this.silenceMs;
  }

  reached(time: number): boolean {
    const now = this.now();
    return now === undefined || now >= time;
  }

  /** Those who wait now. */
  get waiting(): number {
    return this.waiters.size;
  }

  /**
   * Resolves once the watermark has reached a time, when `deadlineMs` of wall time have passed, or when the asker has
   * gone. Throws TOO_MANY_WAITING.
   */
  async wait(time: number, deadlineMs: number, { caller, signal }: Asker): Promise<void> {
    if (deadlineMs <= 0 || this.reached(time) || signal?.aborted) return;
    const leave = this.places.take(caller);
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.waiters.delete(waiter);
        leave();
        resolve();
      };
      const waiter = { time, done };
      const timer = setTimeout(done, deadlineMs);
      signal?.addEventListener('abort', done, { once: true });
      this.waiters.add(waiter);
    });
  }

  private all(): number[] {
    return [...this.parts.values()].map((parts) => Math.min(...parts));
  }

  /** I2 */
  private spoken(all: readonly number[]): number {
    const [furthest, next] = all.toSorted((a, b) => b - a);
    return all.length > 2 ? next : furthest;
  }

  private noneOf(source: string): number[] {
    return Array(this.partsOf(source)).fill(Number.NEGATIVE_INFINITY);
  }

  private wake(): void {
    for (const waiter of this.waiters) if (this.reached(waiter.time)) waiter.done();
  }
}
