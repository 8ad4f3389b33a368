/**
 * The outbox: a document and its unsent events are one document.
 *
 * I1  `save` and `update` change the document and add its events to `pending` in one atomic write.
 * I2  The relay publishes a document's pending events in sequence and then pulls them by id: at least once, same id.
 * I3  Above 100 pending a save fails retriably; a document with pending events cannot be deleted.
 * I4  At start the relay finds what an earlier process left behind, by a partial index.
 */
import type { Bus } from '@driftloop/bus';
import type { AnyEvent, PayloadOf } from '@driftloop/contracts';
import type { Document, Model, UpdateQuery } from 'mongoose';

/** What made something happen: the event heard (or the request), its time and its place in the log. */
export interface Cause {
  /** Id of the event or request. */
  readonly id: string;
  /** Event time, epoch ms. */
  readonly time: number;
  readonly tenant: string;
  /** The log position, where the cause is an event. */
  readonly position?: { readonly topic: string; readonly partition: number; readonly offset: number };
  readonly traceparent?: string;
}

/** One event to emit with a document; build it with `emission`, which type-checks the payload against the map. */
export interface Emission {
  readonly definition: AnyEvent;
  readonly payload: unknown;
  /** Event time of the fact, epoch ms. */
  readonly time: number;
}

/** An event for `save(doc, { emit })`. `time` is its event time in epoch ms. */
export function emission<D extends AnyEvent>(definition: D, payload: PayloadOf<D>, time: number): Emission {
  return { definition, payload, time };
}

// biome-ignore lint/suspicious/noExplicitAny: documents and models of every type
export type AnyDocument = Document<any, any, any, any, any>;
// biome-ignore lint/suspicious/noExplicitAny: documents and models of every type
export type AnyModel = Model<any, any, any, any, any, any>;

/** Documents with unsent events, and how long the oldest has waited, ms of wall time; for people to see. */
export interface OutboxWaiting {
  readonly documents: number;
  readonly oldestMs: number;
}

/** An abstract class, so that it is its own injection token. */
export abstract class Outbox {
  /**
   * Saves a new or changed document together with its events. Throws OUTBOX_FULL and DOCUMENT_MOVED (both retriable: read
   * again), DOCUMENT_GONE, OUTBOX_WRONG_SPEAKER, OUTBOX_EVENT_TOO_LARGE, OUTBOX_TOO_MANY; E11000 as mongod says it.
   * One save a document and cause: a second with the same topic would repeat the first one's event id.
   */
  abstract save(doc: AnyDocument, emit: readonly Emission[], cause: Cause): Promise<void>;
  /**
   * Compare-and-set: updates the one document that matches, together with its events, and returns it as it is after;
   * null when none matches, and then nothing is emitted.
   */
  abstract update<M extends AnyModel>(
    model: M,
    filter: Record<string, unknown>,
    update: UpdateQuery<unknown>,
    emit: readonly Emission[],
    cause: Cause,
  ): Promise<InstanceType<M> | null>;
  /** What waits to be sent, as far as this process knows. */
  abstract waiting(): OutboxWaiting;
  /** Publishes through another bus from now on: one that traces or counts what is sent to the same log. */
  abstract sendThrough(bus: Pick<Bus, 'publish'>): void;
  /** Sends what is left, for a while, then refuses. */
  abstract close(): Promise<void>;
}
