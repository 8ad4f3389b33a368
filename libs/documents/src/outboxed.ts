/**
 * The schema plugin of documents that emit: their unsent events, a lease for the relay, and a guard on deletion.
 *
 * I1  `pending` is never loaded with a document and never set as a whole: it is only pushed to and pulled from.
 * I2  The partial index holds precisely the documents with unsent events.
 */
import { type Query, Schema } from 'mongoose';
import { errors } from './errors.js';

/** One unsent event in its document. */
export interface PendingEvent {
  /** The event's id. */
  readonly _id: string;
  readonly topic: string;
  readonly key: string;
  readonly time: number;
  /** JSON text: a document's own rules for empty objects and odd keys do not touch it. */
  readonly data: string;
  readonly traceparent?: string;
}

/** Which relay is sending a document's events, and until when (wall time, epoch ms) nobody else does. */
export interface Lease {
  readonly owner: string;
  readonly until: number;
}

/** Most unsent events of one document. */
export const PENDING_LIMIT = 100;

/** The filter of documents with unsent events, as the partial index has it. */
export const HAS_PENDING = { 'pending.0._id': { $exists: true } } as const;
const HAS_NONE = { 'pending.0._id': { $exists: false } } as const;

/** A mongoose plugin: `schema.plugin(outboxed)`. */
// biome-ignore lint/suspicious/noExplicitAny: a plugin is given schemas of every document type
export function outboxed(schema: Schema<any>): void {
  schema.add({
    pending: { type: [Schema.Types.Mixed], default: undefined, select: false },
    outboxLease: { type: Schema.Types.Mixed, default: undefined, select: false },
  });
  schema.index({ 'pending.0._id': 1 }, { name: 'outbox_pending', partialFilterExpression: HAS_PENDING });
  guardDeletes(schema);
}

/** Whether a schema has the plugin. */
export function isOutboxed(schema: Schema): boolean {
  return schema.path('outboxLease') !== undefined;
}

type Deletion = Query<unknown, unknown> & { unguarded?: Record<string, unknown> };

function guardDeletes(schema: Schema): void {
  schema.pre(['deleteOne', 'deleteMany', 'findOneAndDelete'], { query: true, document: false }, function () {
    const deletion = this as unknown as Deletion;
    deletion.unguarded = deletion.getFilter();
    deletion.setQuery({ $and: [deletion.unguarded, HAS_NONE] });
  });
  schema.post('deleteMany', async function () {
    await refuseIfKept(this as unknown as Deletion);
  });
  schema.post(['deleteOne', 'findOneAndDelete'], { query: true, document: false }, async function (result: unknown) {
    const deleted = (result as { deletedCount?: number } | null)?.deletedCount ?? (result ? 1 : 0);
    if (!deleted) await refuseIfKept(this as unknown as Deletion);
  });
  schema.pre(['replaceOne', 'findOneAndReplace'], () => {
    throw new TypeError('a document that emits cannot be replaced: its unsent events would be lost; use $set');
  });
}

async function refuseIfKept(deletion: Deletion): Promise<void> {
  const kept = await deletion.model.exists({ $and: [deletion.unguarded ?? {}, HAS_PENDING] });
  if (kept) throw errors.DOCUMENT_PENDING({ collection: deletion.model.collection.name });
}
