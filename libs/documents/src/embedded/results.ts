/** Results and bulk errors in the classes of mongod's driver. */
import mongoose from 'mongoose';
import BulkResult from 'mongoose/lib/drivers/node-mongodb-native/bulkWriteResult.js';
import { badValue } from './errors.js';
import type { Changed, InsertFailure } from './write.js';

const { MongoBulkWriteError } = mongoose.mongo;
// the driver's index exports its type only; mongoose reaches for the class
export const BulkWriteResult = BulkResult as new (result: BulkTally, ordered: boolean) => object;

/** One failed write of a bulk, as the driver has it: mongoose renumbers `err.index`. */
class WriteError {
  constructor(readonly err: { code: number; index: number; errmsg: string; op: unknown }) {}
  get code(): number {
    return this.err.code;
  }
  get index(): number {
    return this.err.index;
  }
  get errmsg(): string {
    return this.err.errmsg;
  }
  getOperation(): unknown {
    return this.err.op;
  }
}

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
