/**
 * A lease: at most one of several processes has it, by a document that they share.
 *
 * I1  Every taking raises the fencing number, by compare-and-set: two processes never hold the same number, and what was
 *     written under a lower one is older.
 * I2  No two machines' clocks are compared. Whoever waits sees the document unchanged for the whole lease by its own
 *     clock before it takes over; whoever holds it is through with it a third of the lease earlier, counted from when it
 *     asked for the renewal that went through last.
 * I3  The holder believes the more impatient of its two clocks (a machine that slept, a clock that was set), whoever
 *     waits only the one that cannot jump.
 */
import { randomUUID } from 'node:crypto';
import { isDuplicateKey } from '@driftloop/documents';
import { type Model, Schema } from 'mongoose';
import type { WallClock } from './clock.js';
import type { Connection } from './connection.js';

/** `_id` is what the lease is of. */
interface LeaseDocument {
  _id: string;
  /** Replica and process; empty after a release. */
  holder: string;
  fence: number;
  /** Rises with every renewal. */
  beat: number;
  /** The holder's own, ms. */
  leaseMs: number;
}

const leaseSchema = new Schema<LeaseDocument>(
  { _id: String, holder: String, fence: Number, beat: Number, leaseMs: Number },
  { versionKey: false },
);

interface Moment {
  readonly wall: number;
  readonly elapsed: number;
}

/** A document as it was first seen in this state. */
interface Seen {
  readonly fence: number;
  readonly beat: number;
  readonly elapsed: number;
}

export interface LeaseOptions {
  /** What it is of: constant. */
  readonly name: string;
  readonly replica: string;
  /** How long whoever waits sees no renewal before it takes over, ms. */
  readonly leaseMs: number;
  readonly clock: WallClock;
}

export class Lease {
  /** Who this process is to others: a replica that starts again is another. */
  readonly holder: string;
  #fence = 0;
  #renewed: Moment | undefined;
  #seen: Seen | undefined;
  #other = '';
  readonly #leases: Model<LeaseDocument>;

  constructor(
    connection: Connection,
    private readonly options: LeaseOptions,
  ) {
    this.holder = `${options.replica}/${randomUUID().slice(0, 8)}`;
    this.#leases = connection.models.Lease ?? connection.model<LeaseDocument>('Lease', leaseSchema, 'leases');
  }

  /** The number that it was taken under; 0 before. */
  get fence(): number {
    return this.#fence;
  }

  /** Who had it when this process looked last; empty where nobody did. */
  get other(): string {
    return this.#other;
  }

  /** How long the holder may go on without a renewal, ms (I2). */
  get usableMs(): number {
    return (this.options.leaseMs * 2) / 3;
  }

  /** Whether it is held, by this process' own clocks (I3). */
  get held(): boolean {
    if (!this.#renewed) return false;
    const { wall, elapsed } = this.#moment();
    return Math.max(wall - this.#renewed.wall, elapsed - this.#renewed.elapsed) < this.usableMs;
  }

  /** Takes it where it is free or has run out. Throws where the documents are away. */
  async take(): Promise<boolean> {
    const asked = this.#moment();
    const found = await this.#leases.findById(this.options.name).lean<LeaseDocument>();
    if (found && !this.#isFree(found)) return false;
    const fence = (found?.fence ?? 0) + 1;
    if (!(await this.#write(found, fence))) return false;
    this.#fence = fence;
    this.#renewed = asked;
    this.#other = '';
    return true;
  }

  /** Keeps it; false where another process has taken it. Throws where the documents are away. */
  async renew(): Promise<boolean> {
    const asked = this.#moment();
    const own = { _id: this.options.name, holder: this.holder, fence: this.#fence };
    const { matchedCount } = await this.#leases.updateOne(own, { $inc: { beat: 1 } });
    if (matchedCount) this.#renewed = asked;
    else this.#renewed = undefined;
    return matchedCount > 0;
  }

  /** Gives it back, so that nobody need wait. Throws where the documents are away: then it runs out. */
  async release(): Promise<void> {
    if (!this.#renewed) return;
    this.#renewed = undefined;
    const own = { _id: this.options.name, holder: this.holder, fence: this.#fence };
    await this.#leases.updateOne(own, { $set: { holder: '' } });
  }

  /** I2 */
  #isFree({ holder, fence, beat, leaseMs }: LeaseDocument): boolean {
    this.#other = holder;
    if (holder === '') return true;
    const { elapsed } = this.#moment();
    if (this.#seen?.fence !== fence || this.#seen.beat !== beat) this.#seen = { fence, beat, elapsed };
    return elapsed - this.#seen.elapsed >= leaseMs;
  }

  /** I1 */
  async #write(found: LeaseDocument | null, fence: number): Promise<boolean> {
    const { name, leaseMs } = this.options;
    const taken = { holder: this.holder, fence, beat: 0, leaseMs };
    if (found) {
      const { holder, fence: before, beat } = found;
      const unchanged = { _id: name, holder, fence: before, beat };
      return (await this.#leases.updateOne(unchanged, { $set: taken })).matchedCount > 0;
    }
    try {
      await this.#leases.create({ _id: name, ...taken });
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  #moment(): Moment {
    return { wall: this.options.clock.now(), elapsed: this.options.clock.elapsed() };
  }
}
