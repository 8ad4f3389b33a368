/** Bulk inserts of rows with natural keys: what is there already stays as it is. */
import { isDuplicateKey } from '@driftloop/documents';
import type { Model } from 'mongoose';

/**
 * Inserts the rows whose `_id` is new in one unordered bulk insert, and resolves to those that were there already; only
 * where some were (a batch heard again, a revision) does it look which.
 */
export async function insertNew<T extends { _id: string }>(model: Model<T>, rows: T[]): Promise<T[]> {
  if (!rows.length) return [];
  try {
    await model.collection.insertMany(rows as never, { ordered: false });
    return [];
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
  const known: T[] = [];
  for (const row of rows) {
    const found = await model.updateOne({ _id: row._id } as never, { $setOnInsert: row } as never, { upsert: true });
    if (!found.upsertedCount) known.push(row);
  }
  return known;
}
