/**
 * One of several replicas leads: it holds a lease and renews it; the others wait for it to end.
 *
 * I1  Whoever leads stops when its renewals have failed for two thirds of the lease, or when somebody else has taken it,
 *     whichever it sees first: before anybody else can lead (lease.ts, I2).
 * I2  What is done by the leader alone asks `check` before it begins; what it writes that a later leader must not find
 *     overwritten is written under `fence`.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { WallClock } from './clock.js';
import type { Connection } from './connection.js';
import { errors } from './errors.js';
import { Lease } from './lease.js';
import type { Log } from './log.js';

export interface LeadershipParts {
  readonly connection: Connection;
  readonly clock: WallClock;
  readonly log: Log;
  /** What is led. */
  readonly name: string;
  readonly replica: string;
  readonly leaseMs: number;
}

/** Renewals in one lease. */
const beats = 6;

/** Injectable: whether this process leads its service, and under which number. */
export abstract class Leadership {
  /** Rises with every leader; 0 where the service is not led, or has one process only. */
  abstract readonly fence: number;
  /** Throws NOT_LEADING (retriable) where this process does not lead (any more). */
  abstract check(): void;
}

/** A service that is not led, or that has its home for itself. */
export class Unled extends Leadership {
  override readonly fence = 0;
  override check(): void {}
}

export class Led extends Leadership {
  readonly #lease: Lease;
  #state: 'waiting' | 'leading' | 'over' = 'waiting';
  #cancel: () => void = () => {};
  #wake: () => void = () => {};
  /** Called once, when the lead is lost; not when it is given up. */
  onLost: (reason: string) => void = () => {};

  constructor(private readonly parts: LeadershipParts) {
    super();
    const { connection, name, replica, leaseMs, clock } = parts;
    this.#lease = new Lease(connection, { name, replica, leaseMs, clock });
  }

  override get fence(): number {
    return this.#lease.fence;
  }

  /** Who leads instead, as far as is known. */
  get leader(): string {
    return this.#lease.other;
  }

  get leads(): boolean {
    return this.#state === 'leading' && this.#lease.held;
  }

  override check(): void {
    if (!this.leads) throw errors.NOT_LEADING({ name: this.parts.name, leader: this.leader || 'another replica' });
  }

  /** Waits until this process leads; false where `stop` was called first. */
  async lead(): Promise<boolean> {
    while (this.#state === 'waiting') {
      if (await this.#tryTo('taken', () => this.#lease.take())) {
        this.#begin();
        return true;
      }
      await this.#pause();
    }
    return false;
  }

  /** Gives the lead back, or stops waiting for it. */
  async stop(): Promise<void> {
    this.#cancel();
    const led = this.#state === 'leading';
    this.#state = 'over';
    this.#wake();
    if (led) await this.#tryTo('given back', () => this.#lease.release());
  }

  /** Goes without a word, as a process that dies does: the lease runs out. For specs. */
  abandon(): void {
    this.#cancel();
    this.#state = 'over';
  }

  #begin(): void {
    const { name, log } = this.parts;
    this.#state = 'leading';
    log.info({ lead: name, holder: this.#lease.holder, fence: this.fence }, 'leads');
    this.#beatLater();
  }

  #beatLater(): void {
    const { clock, leaseMs } = this.parts;
    this.#cancel = clock.after(leaseMs / beats, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    this.#beatLater(); // a renewal that hangs must not keep the next look from coming (I1)
    if (!this.#lease.held) return this.#lost('it could not be renewed in time');
    const kept = await this.#tryTo('renewed', () => this.#lease.renew());
    if (this.#state !== 'leading') return;
    if (kept === false) this.#lost('another replica has taken it');
  }

  #lost(reason: string): void {
    if (this.#state !== 'leading') return;
    this.#cancel();
    this.#state = 'over';
    const { name, log } = this.parts;
    log.error({ lead: name, holder: this.#lease.holder, fence: this.fence, reason }, 'leads no longer');
    this.onLost(reason);
  }

  /** Undefined where the documents are away. */
  async #tryTo<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.parts.log.warn({ lead: this.parts.name, err: error }, `the lead could not be ${what}`);
      return undefined;
    }
  }

  async #pause(): Promise<void> {
    await turn();
    if (this.#state !== 'waiting') return;
    const { clock, leaseMs } = this.parts;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(leaseMs / beats, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
