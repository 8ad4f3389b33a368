/**
 * Documents on a real mongod: mongoose with its own driver, in one database of a replica set.
 *
 * I1  Writes are acknowledged by a majority, so that what an event was published for survives a failover.
 * I2  A mongod that cannot be reached, or has no primary now, is DOCUMENTS_UNAVAILABLE (retriable) wherever it is noticed:
 *     in a call, in a cursor, while opening. Handlers pause on it, and no event is dead-lettered for it.
 * I3  Nothing is buffered while mongod is away: a call fails within `selectionMs`.
 */
import mongoose, { type Connection } from 'mongoose';
import BulkWriteResult from 'mongoose/lib/drivers/node-mongodb-native/bulkWriteResult.js';
import NativeCollection from 'mongoose/lib/drivers/node-mongodb-native/collection.js';
import NativeConnection from 'mongoose/lib/drivers/node-mongodb-native/connection.js';
import { errors } from './errors.js';

const { MongoBulkWriteError, MongoError, MongoNetworkError, MongoRuntimeError, MongoServerError, MongoSystemError } =
  mongoose.mongo;

/** How long a call looks for a primary, ms. */
const selectionMs = 5000;
/** Labels that mongod and the driver give to errors of the moment, not of the request. */
const momentary = ['RetryableWriteError', 'TransientTransactionError', 'ResetPool', 'NetworkError', 'RetryableError'];
/** Interrupted, not primary, shutting down, no primary, exceeded time, write concern timed out, not enough nodes. */
const momentaryCodes = new Set([
  6, 7, 50, 64, 89, 91, 100, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436, 91331,
]);

/**
 * Opens a database of a mongod or replica set, on a mongoose instance of its own. `close()` the connection in the end.
 * Throws DOCUMENTS_UNAVAILABLE where no primary answers; the address's credentials are in no message.
 */
export async function openMongod(uri: string, database: string): Promise<Connection> {
  const instance = new mongoose.Mongoose();
  instance.setDriver({ Collection: MongodCollection, Connection: NativeConnection, BulkWriteResult } as never);
  const options = {
    dbName: database,
    bufferCommands: false,
    serverSelectionTimeoutMS: selectionMs,
    connectTimeoutMS: selectionMs,
    writeConcern: { w: 'majority', wtimeoutMS: 10_000 } as const,
    readConcern: { level: 'majority' } as const,
    maxPoolSize: 20,
  };
  try {
    await instance.connection.openUri(uri, options);
  } catch (error) {
    await instance.connection.close().catch(() => undefined);
    throw explained(error);
  }
  return instance.connection;
}

/** The names of the collections that a database has. Throws DOCUMENTS_UNAVAILABLE. */
export async function collectionsOf(connection: Connection): Promise<string[]> {
  try {
    return (await connection.listCollections()).map(({ name }) => name);
  } catch (error) {
    throw explained(error);
  }
}

/** Errors of the moment as DOCUMENTS_UNAVAILABLE; all others as they are. */
export function explained(error: unknown): unknown {
  return isMomentary(error) ? errors.DOCUMENTS_UNAVAILABLE({ reason: reasonOf(error as Error) }) : error;
}

function isMomentary(error: unknown): boolean {
  if ((error as Error)?.name === 'MongooseServerSelectionError') return true;
  if ((error as Error)?.name === 'MongoNotConnectedError') return true;
  if (!(error instanceof MongoError)) return false;
  if (error instanceof MongoNetworkError || error instanceof MongoSystemError) return true;
  // A bulk write that names no document at fault has lost its connection, or its write concern.
  if (error instanceof MongoBulkWriteError && [error.writeErrors].flat().length === 0) return true;
  if (error instanceof MongoRuntimeError) return /closed|not connected|topology|pool/i.test(error.message);
  if (momentary.some((label) => error.hasErrorLabel(label))) return true;
  return error instanceof MongoServerError && momentaryCodes.has(Number(error.code));
}

/** Addresses may hold credentials. */
function reasonOf({ message }: Error): string {
  return message.replace(/mongodb(\+srv)?:\/\/\S+/g, 'mongodb://…').slice(0, 300);
}

type Method = (...args: unknown[]) => unknown;
const cursorMethods = ['toArray', 'next', 'tryNext', 'hasNext', 'forEach'];

/** mongoose's collection, whose calls and cursors fail as the port says (I2). */
class MongodCollection extends NativeCollection {}

for (const name of callable(NativeCollection.prototype)) {
  const call = (NativeCollection.prototype as unknown as Record<string, Method>)[name];
  Object.defineProperty(MongodCollection.prototype, name, {
    configurable: true,
    writable: true,
    value(this: unknown, ...args: unknown[]) {
      return explaining(() => call.apply(this, args));
    },
  });
}

/** The driver's own methods that mongoose has copied: they return promises or cursors. */
function callable(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => {
    const { value } = Object.getOwnPropertyDescriptor(prototype, name)!;
    return typeof value === 'function' && name in mongoose.mongo.Collection.prototype;
  });
}

function explaining(call: () => unknown): unknown {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    throw explained(error);
  }
  if (result instanceof Promise) {
    return result.catch((error) => {
      throw explained(error);
    });
  }
  if (typeof (result as { toArray?: unknown } | undefined)?.toArray === 'function') explainCursor(result as never);
  return result;
}

function explainCursor(cursor: Record<string, Method>): void {
  for (const name of cursorMethods) {
    const call = cursor[name];
    if (typeof call !== 'function') continue;
    cursor[name] = (...args) => explaining(() => call.apply(cursor, args));
  }
}
