/** Results and bulk errors in the classes of mongod's driver. */
import common from 'mongodb/lib/bulk/common.js';
import mongoose from 'mongoose';
import { badValue } from './errors.js';
import type { Changed, InsertFailure } from './write.js';

const { MongoBulkWriteError } = mongoose.mongo;
// only types of these are exported by the driver's index: mongoose reaches for them in the same way
const { BulkWriteResult, WriteError } = common as unknown as {
  BulkWriteResult: new (result: BulkTally, ordered: boolean) => object;
  WriteError: new (error: { code: number; index: number; errmsg: string; op: unknown }) => object;
};

export { BulkWriteResult };

/** What a bulk write did, as the driver's BulkWriteResult reads it. */
export interface BulkTally {
  ok: 1;
  nInserted: number;
  nUpserted: number;
  nMatched: number;
  nModified: number;
  nRemoved: number;
  upserted: { index: number; _id: unknown }[];
  insertedIds: { index: number; _id: unknown }[];
  writeErrors: object[];
  writeConcernErrors: object[];
}

export const emptyTally = (): BulkTally => ({
  ok: 1,
  nInserted: 0,
  nUpserted: 0,
  nMatched: 0,
  nModified: 0,
  nRemoved: 0,
  upserted: [],
  insertedIds: [],
  writeErrors: [],
  writeConcernErrors: [],
});

export function updateResult({ matched, modified, upsertedId }: Changed): object {
  const upserted = upsertedId !== undefined;
  return {
    acknowledged: true,
    matchedCount: matched,
    modifiedCount: modified,
    upsertedCount: upserted ? 1 : 0,
    upsertedId: upserted ? upsertedId : null,
  };
}

/** The result of a bulk write; throws MongoBulkWriteError when writes failed. */
export function bulkResult(
  tally: BulkTally,
  failures: readonly InsertFailure[],
  ops: readonly unknown[],
  ordered: boolean,
): object {
  tally.writeErrors = failures.map(({ index, error }) => {
    const { code } = error as Error & { code: number };
    return new WriteError({ code, index, errmsg: error.message, op: ops[index] });
  });
  const result = new BulkWriteResult(tally, ordered);
  if (!failures.length) return result;
  const first = failures[0].error as Error & { code: number };
  const told = { message: first.message, code: first.code, writeErrors: tally.writeErrors };
  throw new MongoBulkWriteError(told as never, result as never);
}

/** Throws for options whose meaning would be lost. */
export function checkOptions(options: Record<string, unknown> | undefined): void {
  if (!options) return;
  if (options.session)
    throw badValue('the embedded documents have no sessions: one document is the unit of change', 20);
  if (options.collation) throw badValue('the embedded documents have no collations', 20);
}
