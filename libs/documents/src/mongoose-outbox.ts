/**
 * The outbox on mongoose, the same on mongod and embedded.
 *
 * I1  `save` and `update` hold the bus from before the write until the relay has been told: `settled` cannot slip between.
 * I2  A save pushes events by $push in the write that changes the document, on condition that there is room.
 * I3  When a model of the connection is compiled (or was before), its leftovers are found and relayed; where there are
 *     replicas, again from time to time.
 */
import { randomUUID } from 'node:crypto';
import type { Bus } from '@driftloop/bus';
import type { Connection, UpdateQuery } from 'mongoose';
import { errors } from './errors.js';
import { type AnyDocument, type AnyModel, type Cause, type Emission, Outbox, type OutboxWaiting } from './outbox.js';
import { HAS_PENDING, isOutboxed, PENDING_LIMIT, type PendingEvent } from './outboxed.js';
import { pendingEvents } from './pending.js';
import { Relay, type RelayOptions } from './relay.js';

export interface MongooseOutboxOptions extends Partial<RelayOptions> {
  /** How long `close` waits for the bus, ms. */
  readonly closeMs?: number;
  /** How often replicas look for what one that died has left, ms. */
  readonly sweepMs?: number;
}

export class MongooseOutbox extends Outbox {
  private readonly relay: Relay;
  private readonly recoveries = new Set<Promise<void>>();
  private readonly options: Settings;
  private readonly sweep: NodeJS.Timeout | undefined;
  private closed = false;

  /** `source` is the speaking service: events whose definition says another speaker are refused. */
  constructor(
    private readonly connection: Connection,
    private readonly bus: Bus,
    private readonly source: string,
    options: MongooseOutboxOptions = {},
  ) {
    super();
    this.options = { ...defaults(connection), ...options };
    this.relay = new Relay(bus, source, this.options);
    this.recoverAll();
    connection.on('model', this.recoverSoon);
    if (!this.options.exclusive) this.sweep = setInterval(() => this.recoverAll(), this.options.sweepMs).unref();
  }

  async save(doc: AnyDocument, emit: readonly Emission[], cause: Cause): Promise<void> {
    const model = doc.constructor as AnyModel;
    const events = this.eventsOf(model, doc._id, emit, cause);
    await this.holding(async () => {
      if (events.length) attach(doc, events);
      try {
        await doc.save();
      } catch (error) {
        throw await explain(error, model, doc, events.length);
      } finally {
        if (events.length) detach(doc);
      }
      if (events.length) this.relay.tell(model.collection, doc._id);
    });
  }

  async update<M extends AnyModel>(
    model: M,
    filter: Record<string, unknown>,
    update: UpdateQuery<unknown>,
    emit: readonly Emission[],
    cause: Cause,
  ): Promise<InstanceType<M> | null> {
    return this.holding(async () => {
      const given = idIn(filter);
      for (let attempt = given === undefined ? LOOKUPS : 1; attempt > 0; attempt--) {
        const id = given ?? (await this.idOf(model, filter));
        if (id === undefined) return null;
        const doc = await this.updateById(model, { $and: [filter, { _id: id }] }, id, update, emit, cause);
        if (doc) return doc as InstanceType<M>;
      }
      return null;
    });
  }

  private async updateById(
    model: AnyModel,
    filter: Record<string, unknown>,
    id: unknown,
    update: UpdateQuery<unknown>,
    emit: readonly Emission[],
    cause: Cause,
  ): Promise<AnyDocument | null> {
    const events = this.eventsOf(model, id, emit, cause);
    const room = { $and: [filter, roomFor(events.length)] };
    const doc = await model.findOneAndUpdate(room, withEvents(model, update, events), { returnDocument: 'after' });
    if (doc && events.length) this.relay.tell(model.collection, id);
    if (!doc && events.length && (await model.exists(filter))) throw full(model, id);
    return doc as AnyDocument | null;
  }

  /** The _id of a document that a filter matches. */
  private async idOf(model: AnyModel, filter: Record<string, unknown>): Promise<unknown> {
    const found = await model.findOne(filter).select('_id').lean();
    return found?._id;
  }

  private eventsOf(model: AnyModel, id: unknown, emit: readonly Emission[], cause: Cause): PendingEvent[] {
    if (this.closed) throw errors.OUTBOX_CLOSED({});
    if (!emit.length) return [];
    const collection = model.collection.name;
    if (!isOutboxed(model.schema)) throw errors.OUTBOX_NOT_OUTBOXED({ collection });
    if (emit.length > PENDING_LIMIT) {
      throw errors.OUTBOX_TOO_MANY({ collection, id: String(id), events: emit.length, limit: PENDING_LIMIT });
    }
    return pendingEvents(emit, cause, { source: this.source, collection, id });
  }

  /** I1 */
  private async holding<T>(work: () => Promise<T>): Promise<T> {
    const hold = this.bus.hold('outbox');
    try {
      return await work();
    } finally {
      hold.release();
    }
  }

  private recoverAll(): void {
    for (const model of Object.values(this.connection.models)) this.recoverSoon(model);
  }

  private readonly recoverSoon = (model: AnyModel): void => {
    if (this.closed || !isOutboxed(model.schema)) return;
    const recovery = this.holding(() => this.recover(model))
      .catch((error) => this.options.report(error, this.relay.waiting().documents))
      .finally(() => this.recoveries.delete(recovery));
    this.recoveries.add(recovery);
  };

  /** I3: leftovers go in the order of their first event's time and id. */
  private async recover(model: AnyModel): Promise<void> {
    await model.init();
    const found = await model.collection.find(HAS_PENDING, { projection: { pending: { _id: 1, time: 1 } } }).toArray();
    const first = ({ pending }: { pending?: PendingEvent[] }) => pending![0];
    const left = found as unknown as { _id: unknown; pending: PendingEvent[] }[];
    left.sort((a, b) => first(a).time - first(b).time || (first(a)._id < first(b)._id ? -1 : 1));
    for (const { _id } of left) this.relay.tell(model.collection, _id);
  }

  /** Resolves when the leftovers of all models known so far have been found and everything told of has been sent. */
  async drained(): Promise<void> {
    await Promise.all(this.recoveries);
    await this.relay.drained();
  }

  waiting(): OutboxWaiting {
    return this.relay.waiting();
  }

  sendThrough(bus: Pick<Bus, 'publish'>): void {
    this.relay.sendThrough(bus);
  }

  /** Sends what is left, for a while; what cannot be sent stays in its document. Later saves are refused. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.sweep);
    this.connection.off('model', this.recoverSoon);
    await Promise.all(this.recoveries);
    await this.relay.close(this.options.closeMs);
  }
}

/** The _id that a filter names by equality. */
function idIn({ _id }: Record<string, unknown>): unknown {
  const operators = Object.getPrototypeOf(_id ?? Object) === Object.prototype;
  return operators ? undefined : (_id ?? undefined);
}

/** How often `update` looks again when somebody else took the document that it had found. */
const LOOKUPS = 5;

type Settings = RelayOptions & { readonly closeMs: number; readonly sweepMs: number };

function defaults(connection: Connection): Settings {
  return {
    exclusive: connection.host === 'embedded',
    owner: randomUUID(),
    clock: Date.now,
    leaseMs: 30_000,
    retryMs: 50,
    longestRetryMs: 5_000,
    report: () => undefined,
    closeMs: 5_000,
    // Below a session of the bus: until that of a process that died has ended nothing is settled, and by then what it
    // had committed and not published is in another's hands, who holds the bus.
    sweepMs: 5_000,
  };
}

/** Attaches events to a document so that its next save inserts or pushes them, on condition of room. */
function attach(doc: AnyDocument, events: readonly PendingEvent[]): void {
  if (doc.isNew) {
    doc.set('pending', [...events]);
    return;
  }
  doc.set('pending', []);
  const pending = doc.get('pending') as { clearAtomics(): void; push(...events: PendingEvent[]): number };
  // forgotten as a change, so that mongoose writes the push and not the array
  pending.clearAtomics();
  doc.unmarkModified('pending');
  pending.push(...events);
  doc.$where = { ...doc.$where, ...roomFor(events.length) };
}

function detach(doc: AnyDocument): void {
  doc.set('pending', undefined);
  doc.unmarkModified('pending');
  if (!doc.$where) return;
  for (const path of Object.keys(doc.$where)) if (path.startsWith('pending.')) delete doc.$where[path];
}

/** I2: as many places are free as there are events. */
function roomFor(events: number): Record<string, unknown> {
  return events ? { [`pending.${PENDING_LIMIT - events}`]: { $exists: false } } : {};
}

function withEvents(
  model: AnyModel,
  update: UpdateQuery<unknown>,
  events: readonly PendingEvent[],
): UpdateQuery<unknown> {
  const { $push, $inc, ...rest } = update as Record<string, Record<string, unknown> | undefined>;
  const key = model.schema.get('optimisticConcurrency') ? (model.schema.get('versionKey') as string) : undefined;
  return {
    ...rest,
    ...((events.length || $push) && { $push: { ...$push, ...(events.length && { pending: { $each: events } }) } }),
    ...((key || $inc) && { $inc: { ...$inc, ...(key && { [key]: 1 }) } }),
  } as UpdateQuery<unknown>;
}

function full(model: AnyModel, id: unknown): Error {
  return errors.OUTBOX_FULL({ collection: model.collection.name, id: String(id), limit: PENDING_LIMIT });
}

/** mongoose's refusals in the outbox's terms; everything else as it is. */
async function explain(error: unknown, model: AnyModel, doc: AnyDocument, events: number): Promise<unknown> {
  const { name } = error as Error;
  if (name !== 'VersionError' && name !== 'DocumentNotFoundError') return error;
  const facts = { collection: model.collection.name, id: String(doc._id) };
  const there = await model.exists({ _id: doc._id });
  if (!there) return errors.DOCUMENT_GONE(facts);
  const crowded = events > 0 && (await model.exists({ _id: doc._id, $nor: [roomFor(events)] }));
  return crowded ? full(model, doc._id) : errors.DOCUMENT_MOVED(facts);
}
