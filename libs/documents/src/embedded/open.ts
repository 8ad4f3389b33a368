/** Opens a mongoose connection on a SQLite file: the door of the embedded documents. */
import type { DatabaseSync } from 'node:sqlite';
import mongoose, { type Connection } from 'mongoose';
import { EmbeddedCollection } from './collection.js';
import { EmbeddedConnection } from './connection.js';
import type { ScanGuard } from './database.js';
import { BulkWriteResult } from './results.js';

const driver = { Collection: EmbeddedCollection, Connection: EmbeddedConnection, BulkWriteResult };

export interface EmbeddedOptions {
  /** What an unindexed scan of more than `scanLimit` documents does; tests should say `throw`. Default `warn`, once a shape. */
  readonly onScan?: ScanGuard['onScan'];
  /** Default 1,000. */
  readonly scanLimit?: number;
}

/**
 * A connection to one database of the file, on a mongoose instance of its own, so that the global mongoose stays free
 * for a real mongod. The caller opens the file, sets WAL and synchronous=NORMAL, and closes it after the connection.
 */
export async function openEmbedded(
  db: DatabaseSync,
  database: string,
  options: EmbeddedOptions = {},
): Promise<Connection> {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(database)) throw new TypeError(`bad database name ${JSON.stringify(database)}`);
  const instance = new mongoose.Mongoose();
  instance.setDriver(driver as never);
  const connection = instance.connection as unknown as EmbeddedConnection;
  const guard = { limit: options.scanLimit ?? 1000, onScan: options.onScan ?? 'warn' } as const;
  connection.opening = { db, database, guard };
  await connection.openUri(`embedded:${database}`);
  return connection as unknown as Connection;
}
