/**
 * What an accumulator has already applied: the highest offset of each topic's partition, in its own document.
 *
 * Offsets of a partition rise and are heard in order, so one number says it all; written in the same write as the sum.
 */
import type { Cause } from './outbox.js';

/** The schema part: `new Schema({ ...appliedField, sum: Number })`. */
export const appliedField = { applied: { type: Map, of: Number, default: () => new Map<string, number>() } };

/** A document, hydrated or lean, with the field. */
export interface Accumulator {
  applied?: Map<string, number> | Record<string, number> | null | undefined;
}

/** The key of a partition; topics have dots, which paths cannot have. */
function keyOf({ topic, partition }: NonNullable<Cause['position']>): string {
  return `${topic.replaceAll('.', ':')}/${partition}`;
}

/** Whether this document has applied the cause before. A cause that is no event was never applied. */
export function alreadyApplied(doc: Accumulator, cause: Cause): boolean {
  if (!cause.position) return false;
  const { applied } = doc;
  const key = keyOf(cause.position);
  const highest = applied instanceof Map ? applied.get(key) : applied?.[key];
  return highest !== undefined && highest >= cause.position.offset;
}

/** Remembers the cause as applied, in memory: save the document with what it changed. */
export function markApplied(doc: Accumulator, cause: Cause): void {
  if (!cause.position || alreadyApplied(doc, cause)) return;
  const key = keyOf(cause.position);
  doc.applied ??= {};
  if (doc.applied instanceof Map) doc.applied.set(key, cause.position.offset);
  else doc.applied[key] = cause.position.offset;
}

/** For an accumulator changed by `updateOne`: the filter that is false, and the $max that makes it so, once applied. */
export function applyOnce(cause: Cause): { filter: Record<string, unknown>; $max: Record<string, number> } {
  if (!cause.position) return { filter: {}, $max: {} };
  const path = `applied.${keyOf(cause.position)}`;
  const { offset } = cause.position;
  return { filter: { [path]: { $not: { $gte: offset } } }, $max: { [path]: offset } };
}
