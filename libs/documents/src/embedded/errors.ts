/** What the embedded driver throws: mongod's own error classes and codes where mongod has one. */
import mongoose from 'mongoose';
import { errors } from '../errors.js';

const { MongoServerError } = mongoose.mongo;

/** Thrown by name for everything outside the accepted operators, stages and types. */
export class UnsupportedByEmbedded extends Error {
  override readonly name = 'UnsupportedByEmbedded';
  constructor(readonly what: string) {
    super(`the embedded documents do not support ${what}; use one of the listed operators, or run on MongoDB`);
  }
}

/** Thrown (in tests) or told once a shape: a query that reads a large collection without an index. */
export class UnindexedScan extends Error {
  override readonly name = 'UnindexedScan';
  constructor(
    readonly collection: string,
    readonly shape: string,
    limit: number,
  ) {
    super(`${collection}: no index serves ${shape} and the collection holds more than ${limit} documents; declare one`);
  }
}

export function unsupported(what: string): UnsupportedByEmbedded {
  return new UnsupportedByEmbedded(what);
}

/** mongod's refusal of a malformed operation. */
export function badValue(message: string, code = 2): Error {
  return new MongoServerError({ message, code });
}

/** E11000, as mongod words it. */
export function duplicateKey(namespace: string, index: string, keyValue: Record<string, unknown>): Error {
  const shown = Object.entries(keyValue).map(([path, value]) => `${path}: ${JSON.stringify(value) ?? 'null'}`);
  return new MongoServerError({
    message: `E11000 duplicate key error collection: ${namespace} index: ${index} dup key: { ${shown.join(', ')} }`,
    code: 11000,
    keyPattern: Object.fromEntries(Object.keys(keyValue).map((path) => [path, 1])),
    keyValue,
  });
}

/** Whether a write was refused because a document with the same unique key is there already. */
export function isDuplicateKey(error: unknown): boolean {
  return (error as { code?: number } | null)?.code === 11000;
}

/** SQLITE_BUSY, READONLY, IOERR, FULL and CANTOPEN: the file is at fault, or its disk, and not what was asked of it. */
const away = new Set([5, 8, 10, 13, 14]);

/** Runs work on the file. Throws DOCUMENTS_UNAVAILABLE (retriable) where the file cannot be used now. */
export function available<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { errcode, message } = error as Error & { errcode?: number };
    // The low byte is the error's kind.
    if (away.has((errcode ?? 0) & 0xff)) throw errors.DOCUMENTS_UNAVAILABLE({ reason: message });
    throw error;
  }
}
