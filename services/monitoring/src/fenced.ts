/**
 * Documents that each tick writes whole: kept under the leader's number, so that a leader of before, which has not noticed
 * yet that it was overtaken, overwrites nothing (docs/decisions/0017).
 */
import { isDuplicateKey } from '@driftloop/documents';
import type { Leadership } from '@driftloop/service';
import type { Model } from 'mongoose';
import { errors } from './errors.js';

/** Part of a document's schema. */
export const fenceField = { fence: Number };

/** Sets fields of a document, making it where it is not there. Throws NOT_LEADING, or OVERTAKEN where a later leader wrote. */
export async function keepFenced<T extends { _id: string }>(
  model: Model<T>,
  { _id, ...fields }: NoInfer<T>,
  leadership: Leadership,
): Promise<void> {
  leadership.check();
  const { fence } = leadership;
  const filter = fence ? { _id, fence: { $not: { $gt: fence } } } : { _id };
  try {
    await model.updateOne(filter as never, { $set: { ...fields, ...(fence && { fence }) } } as never, { upsert: true });
  } catch (error) {
    throw fence && isDuplicateKey(error) ? errors.OVERTAKEN({ document: _id }) : error;
  }
}
