/**
 * The relay: publishes documents' pending events and pulls them.
 *
 * I1  One loop a process: a document's events go out in their sequence, and a document told of during the loop goes again.
 * I2  Where several processes share the documents, a lease in the document keeps their relays apart; one that dies is
 *     overtaken when its lease ends. Exclusive relays (one process owns the file) need no lease.
 * I3  Events are pulled by id after the bus has them: a crash between leaves them to be published again, with the same id.
 * I4  The bus is held from the first document told of until none is left.
 */
import type { Bus, OutgoingEvent } from '@driftloop/bus';
import type { Collection } from 'mongoose';
import type { OutboxWaiting } from './outbox.js';
import { HAS_PENDING, type Lease, type PendingEvent } from './outboxed.js';
import { outboxPoints } from './points.js';

/** A document that has, or may have, pending events. */
interface Work {
  readonly collection: Collection;
  readonly id: unknown;
  /** Wall time at which this process first knew of it, epoch ms. */
  readonly since: number;
}

/** A document with the events that this relay may publish now. */
interface Claimed extends Work {
  readonly pending: readonly PendingEvent[];
}

interface Stored {
  readonly pending?: readonly PendingEvent[];
  readonly outboxLease?: Lease;
}

export interface RelayOptions {
  /** Whether this process is the only one that relays these documents. */
  readonly exclusive: boolean;
  /** Names this relay in leases; unique among replicas. */
  readonly owner: string;
  /** Wall time, epoch ms: leases, and how long something waits. */
  readonly clock: () => number;
  readonly leaseMs: number;
  /** First wait after a failure, ms; doubles up to the longest. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
  /** Told of every failure; the events stay and are tried again. */
  readonly report: (error: unknown, waiting: number) => void;
}

const BATCH = 64;

export class Relay {
  private readonly queue = new Map<string, Work>();
  /** What is being sent now. */
  private sending: readonly Work[] = [];
  private sender: Pick<Bus, 'publish'>;
  private running: Promise<void> | undefined;
  private held: { release(): void } | undefined;
  private stopped = false;
  private wake: (() => void) | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly source: string,
    private readonly options: RelayOptions,
  ) {
    this.sender = bus;
  }

  /** What is not known to be sent, and how long the oldest has waited. */
  waiting(): OutboxWaiting {
    const works = [...this.queue.values(), ...this.sending];
    const oldest = works.reduce((first, { since }) => Math.min(first, since), Number.POSITIVE_INFINITY);
    return { documents: works.length, oldestMs: works.length ? Math.max(0, this.options.clock() - oldest) : 0 };
  }

  /** Publishes through another bus from now on. */
  sendThrough(bus: Pick<Bus, 'publish'>): void {
    this.sender = bus;
  }

  /** Tells of a document with pending events; the relay goes in a microtask. */
  tell(collection: Collection, id: unknown): void {
    const key = `${collection.name}/${String(id)}`;
    const since = this.queue.get(key)?.since ?? this.options.clock();
    this.queue.set(key, { collection, id, since });
    this.held ??= this.bus.hold('outbox');
    this.running ??= Promise.resolve().then(() => this.run());
  }

  /** Resolves when nothing is left to send, or the relay has been stopped. */
  async drained(): Promise<void> {
    await this.running;
  }

  /** Gives up what could not be sent within `ms`: it stays in the documents. */
  async close(ms: number): Promise<void> {
    const timer = setTimeout(() => this.stop(), ms);
    await this.drained();
    clearTimeout(timer);
    this.stopped = true;
    if (!this.options.exclusive) await Promise.all([...this.queue.values()].map((work) => this.giveBack(work)));
  }

  /** Ends the lease of a document whose events could not be sent, so that another relay need not wait for its end. */
  private async giveBack({ collection, id }: Work): Promise<void> {
    const mine = { _id: id, 'outboxLease.owner': this.options.owner } as object;
    await this.attempt(() => collection.updateOne(mine, { $unset: { outboxLease: 1 } } as object));
  }

  private stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (this.queue.size && !this.stopped) {
      const batch = this.take();
      this.sending = batch;
      const left = await this.relay(batch);
      this.sending = [];
      for (const work of left) this.requeue(work);
      failures = left.length === batch.length ? failures + 1 : 0;
      if (left.length) await this.pause(failures);
    }
    this.running = undefined;
    this.held?.release();
    this.held = undefined;
  }

  private take(): Work[] {
    const batch = [...this.queue.entries()].slice(0, BATCH);
    for (const [key] of batch) this.queue.delete(key);
    return batch.map(([, work]) => work);
  }

  /** Told of meanwhile or not: it waits since it was first told of. */
  private requeue({ collection, id, since }: Work): void {
    this.queue.set(`${collection.name}/${String(id)}`, { collection, id, since });
  }

  private pause(failures: number): Promise<void> {
    const { retryMs, longestRetryMs } = this.options;
    const ms = Math.min(longestRetryMs, retryMs * 2 ** Math.max(0, failures - 1));
    return new Promise((resolve) => {
      // what is left is durable: waiting for the bus keeps no process alive
      const timer = setTimeout(resolve, ms).unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Relays a batch; gives back what has to be tried again. */
  private async relay(batch: readonly Work[]): Promise<Work[]> {
    const claims = await Promise.all(batch.map((work) => this.attempt(() => this.claim(work))));
    const left = batch.filter((_, i) => claims[i] === 'busy' || claims[i] === 'failed');
    const claimed = claims.filter((claim): claim is Claimed => typeof claim === 'object');
    const sent = await this.publish(claimed);
    const pulled = await Promise.all(sent.map((claim) => this.attempt(() => this.pull(claim))));
    const unsent = claimed.filter((claim) => !sent.includes(claim));
    return [...left, ...unsent, ...sent.filter((_, i) => pulled[i] === 'failed')];
  }

  private async attempt<T>(action: () => Promise<T>): Promise<T | 'failed'> {
    try {
      return await action();
    } catch (error) {
      this.options.report(error, this.queue.size);
      return 'failed';
    }
  }

  /** The document's pending events, leased; `busy` when another relay has it, `none` when there are none. */
  private async claim(work: Work): Promise<Claimed | 'busy' | 'none'> {
    const { collection, id } = work;
    const projection = { pending: 1, outboxLease: 1 };
    const byId = { _id: id } as object;
    const found = this.options.exclusive
      ? await collection.findOne(byId, { projection })
      : await collection.findOneAndUpdate({ ...byId, ...HAS_PENDING, ...this.free() }, this.lease(), { projection });
    const { pending } = (found ?? {}) as Stored;
    if (pending?.length) return { ...work, pending };
    if (this.options.exclusive || !(await collection.findOne({ ...byId, ...HAS_PENDING }))) return 'none';
    return 'busy';
  }

  private free(): object {
    const { owner, clock } = this.options;
    return {
      $or: [
        { 'outboxLease.owner': { $exists: false } },
        { 'outboxLease.owner': owner },
        { 'outboxLease.until': { $lt: clock() } },
      ],
    };
  }

  private lease(): object {
    const { owner, clock, leaseMs } = this.options;
    return { $set: { outboxLease: { owner, until: clock() + leaseMs } satisfies Lease } };
  }

  /** Publishes all together; when that fails, one document after the other, so that one cannot hold up the rest. */
  private async publish(claimed: readonly Claimed[]): Promise<Claimed[]> {
    if (!claimed.length) return [];
    if (await this.send(claimed)) return [...claimed];
    if (claimed.length === 1) return [];
    const sent: Claimed[] = [];
    for (const claim of claimed) if (await this.send([claim])) sent.push(claim);
    return sent;
  }

  private async send(claimed: readonly Claimed[]): Promise<boolean> {
    const events = claimed.flatMap(({ pending }) => pending.map((event) => this.outgoing(event)));
    const [{ collection }] = claimed;
    outboxPoints.between.publish(collection.name);
    try {
      await this.sender.publish(events);
      outboxPoints.published.publish(collection.name);
      return true;
    } catch (error) {
      this.options.report(error, this.queue.size + claimed.length);
      return false;
    }
  }

  private outgoing({ _id, topic, key, time, data, traceparent }: PendingEvent): OutgoingEvent {
    const event = { id: _id, topic, key, time, source: this.source, data: JSON.parse(data) as unknown };
    return traceparent ? { ...event, traceparent } : event;
  }

  /** I3 */
  private async pull({ collection, id, pending }: Claimed): Promise<void> {
    const $pull = { pending: { _id: { $in: pending.map(({ _id }) => _id) } } };
    const { exclusive, owner } = this.options;
    const byId = { _id: id } as object;
    if (!exclusive) {
      const mine = { ...byId, 'outboxLease.owner': owner };
      const { matchedCount } = await collection.updateOne(mine, { $pull, $unset: { outboxLease: 1 } } as object);
      if (matchedCount) return;
    }
    await collection.updateOne(byId, { $pull } as object);
  }
}
