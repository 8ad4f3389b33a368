/** Emissions as pending events: checked against the event map, with ids that a re-emission repeats. */
import { createHash } from 'node:crypto';
import { errors } from './errors.js';
import type { Cause, Emission } from './outbox.js';
import type { PendingEvent } from './outboxed.js';

/** Most bytes of one event's JSON, below the bus's own limit by room for its envelope. */
export const EVENT_BYTES_LIMIT = 1_000_000;

/** Whose events they are: the speaking service, and the document. */
export interface Origin {
  readonly source: string;
  readonly collection: string;
  readonly id: unknown;
}

/** sha256 of cause, document, topic and ordinal: the same work done again emits the same ids. */
export function eventId(cause: string, origin: Origin, topic: string, ordinal: number): string {
  const parts = [cause, `${origin.collection}/${String(origin.id)}`, topic, ordinal];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** The events of one save. Throws OUTBOX_WRONG_SPEAKER, OUTBOX_EVENT_TOO_LARGE, or TypeError for a bad time. */
export function pendingEvents(emit: readonly Emission[], cause: Cause, origin: Origin): PendingEvent[] {
  return emit.map((emission, ordinal) => pendingEvent(emission, ordinal, cause, origin));
}

function pendingEvent(
  { definition, payload, time }: Emission,
  ordinal: number,
  cause: Cause,
  origin: Origin,
): PendingEvent {
  const { topic, from: speaker } = definition;
  if (speaker !== origin.source) throw errors.OUTBOX_WRONG_SPEAKER({ topic, speaker, service: origin.source });
  if (!Number.isFinite(time)) throw new TypeError(`the time of an event of ${topic} must be epoch ms, found ${time}`);
  const data = JSON.stringify(definition.payload.toJSON(payload));
  const bytes = Buffer.byteLength(data);
  if (bytes > EVENT_BYTES_LIMIT) throw errors.OUTBOX_EVENT_TOO_LARGE({ topic, bytes, limit: EVENT_BYTES_LIMIT });
  return {
    _id: eventId(cause.id, origin, topic, ordinal),
    topic,
    key: definition.key(payload),
    time,
    data,
    ...(cause.traceparent && { traceparent: cause.traceparent }),
  };
}
