/** mongoose's connection on one SQLite file: one database of it. */

import type { DatabaseSync } from 'node:sqlite';
import MongooseConnection from 'mongoose/lib/connection.js';
import { type ScanGuard, Store } from './database.js';
import { unsupported } from './errors.js';
import { tableOf } from './tables.js';

/** What the connection opens. */
export interface Opening {
  readonly db: DatabaseSync;
  readonly database: string;
  readonly guard: ScanGuard;
}

export class EmbeddedConnection extends MongooseConnection {
  store: Store | undefined;
  guard: ScanGuard = { limit: 1000, onScan: 'warn' };
  opening: Opening | undefined;
  private readonly given = new Map<string, unknown>();

  /** Called by `openUri`. */
  async createClient(uri: string): Promise<this> {
    const { db, database, guard } = this.opening ?? missing();
    this.readyState = 2;
    this._connectionString = uri;
    this.store = Store.of(db);
    this.guard = guard;
    this.name = database;
    this.host = 'embedded';
    this.port = 0;
    this.client = { close: async () => undefined };
    this.db = databaseOf(this.store, database);
    this.onOpen();
    return this;
  }

  async doClose(): Promise<this> {
    return this;
  }

  /** The same name and schema again gives the model that is there; mongoose compares schemas that it has cloned. */
  override model(name: string, schema?: unknown, ...rest: unknown[]): unknown {
    const known = this.models[name];
    if (known && schema !== undefined && this.given.get(name) === schema) return known;
    const model = super.model(name, schema, ...rest);
    if (schema !== undefined) this.given.set(name, schema);
    return model;
  }

  startSession(): never {
    throw unsupported('sessions and transactions: one document is the unit of change');
  }

  useDb(): never {
    throw unsupported('useDb; open another connection');
  }
}

function missing(): never {
  throw unsupported('connecting by address; use openEmbedded');
}

/** The part of mongod's Db that mongoose calls. */
function databaseOf(store: Store, database: string): object {
  return {
    databaseName: database,
    createCollection: async (name: string) => tableOf(store, database, name).create(),
    listCollections: () => ({ toArray: async () => store.collections(database).map((name) => ({ name })) }),
    dropDatabase: async () => {
      for (const name of store.collections(database)) tableOf(store, database, name).drop();
      return true;
    },
  };
}
