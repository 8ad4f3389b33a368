/** The classes that a mongoose driver extends; mongoose ships no types for them. */
declare module 'mongoose/lib/collection.js' {
  export default class MongooseCollection {
    constructor(name: string, connection: unknown, options: unknown);
    name: string;
    conn: unknown;
    buffer: boolean;
    queue: unknown[];
    addQueue(name: unknown, args: unknown[]): this;
    onOpen(): void;
    onClose(force?: boolean): void;
  }
}

declare module 'mongoose/lib/connection.js' {
  import { EventEmitter } from 'node:events';
  export default class MongooseConnection extends EventEmitter {
    constructor(base: unknown);
    db: unknown;
    client: unknown;
    host: string;
    port: number;
    name: string;
    readyState: number;
    collections: Record<string, { onOpen(): void }>;
    _connectionString: string;
    _closeCalled: boolean;
    models: Record<string, unknown>;
    model(name: string, ...rest: unknown[]): unknown;
    onOpen(): void;
    openUri(uri: string, options?: unknown): Promise<this>;
  }
}

declare module 'mongoose/lib/drivers/node-mongodb-native/bulkWriteResult.js' {
  const BulkWriteResult: unknown;
  export default BulkWriteResult;
}

declare module 'mongoose/lib/drivers/node-mongodb-native/collection.js' {
  import MongooseCollection from 'mongoose/lib/collection.js';
  export default class NativeCollection extends MongooseCollection {}
}

declare module 'mongoose/lib/drivers/node-mongodb-native/connection.js' {
  import MongooseConnection from 'mongoose/lib/connection.js';
  export default class NativeConnection extends MongooseConnection {}
}
