/** What the embedded driver throws: mongod's own error classes and codes where mongod has one. */
import mongoose from 'mongoose';

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
