/**
 * mongoose's collection on one table: the methods that mongoose calls, asynchronous as on mongod.
 *
 * I1  An operation runs whole in one turn of the event loop, and its promise resolves after SQLite has committed.
 * I2  A caller that awaits operations in a loop still lets timers and sockets run: after some milliseconds of operations
 *     without a turn, the next waits for one.
 */
import MongooseCollection from 'mongoose/lib/collection.js';
import { aggregate } from './aggregate.js';
import { type Doc, decode, plain } from './codec.js';
import type { EmbeddedConnection } from './connection.js';
import { EmbeddedCursor } from './cursor.js';
import type { ScanGuard } from './database.js';
import type { IndexOptions } from './definition.js';
import { available, badValue, unsupported } from './errors.js';
import { valuesAt } from './matching.js';
import { compareValues } from './order.js';
import { projection } from './project.js';
import { type BulkTally, bulkResult, checkOptions, emptyTally, updateResult } from './results.js';
import { count, query, type SelectOptions, select, stream } from './select.js';
import type { Table } from './table.js';
import { tableOf } from './tables.js';
import { breathe } from './turns.js';
import * as write from './write.js';

interface Options extends SelectOptions, write.ChangeOptions {
  readonly projection?: unknown;
  readonly ordered?: boolean;
  readonly returnDocument?: 'before' | 'after';
  readonly includeResultMetadata?: boolean;
  readonly [option: string]: unknown;
}

export class EmbeddedCollection extends MongooseCollection {
  /** mongoose looks here to see whether the collection is open; set while the base class constructs. */
  declare collection: Table | null;

  override onOpen(): void {
    const { store, name } = this.conn as EmbeddedConnection;
    this.collection = tableOf(store!, name, this.name);
    super.onOpen();
  }

  override onClose(force?: boolean): void {
    super.onClose(force);
    this.collection = null;
    this.buffer = true;
  }

  private get guard(): ScanGuard {
    return (this.conn as EmbeddedConnection).guard;
  }

  /** Runs an operation on the open table; before the connection is open, waits for it. */
  private async on<T>(options: Options | undefined, work: (table: Table) => T): Promise<T> {
    checkOptions(options);
    const { _closeCalled: closed } = this.conn as EmbeddedConnection;
    if (closed) throw badValue(`the connection of ${this.name} is closed`, 11600);
    if (this.buffer) await new Promise<void>((resolve) => void this.addQueue(() => resolve(), []));
    else await breathe();
    return available(() => work(this.collection!));
  }

  find(filter: unknown, options: Options = {}): EmbeddedCursor {
    const show = () => projection(options.projection);
    const ready = (table: Table) => query(table, filter, this.guard, options.sort);
    return new EmbeddedCursor({
      all: () =>
        this.on(options, (table) => {
          const project = show();
          return select(table, ready(table), options).map(({ doc }) => project(doc));
        }),
      each: () => this.on(options, (table) => stream(table, ready(table), show(), options)),
    });
  }

  private cursor(options: Options | undefined, run: (table: Table) => Doc[]): EmbeddedCursor {
    const all = () => this.on(options, run);
    return new EmbeddedCursor({ all, each: async () => (await all())[Symbol.iterator]() });
  }

  findOne(filter: unknown, options: Options = {}): Promise<Doc | null> {
    return this.on(options, (table) => {
      const ready = query(table, filter, this.guard, options.sort);
      const [found] = select(table, ready, { limit: 1, skip: options.skip ?? 0 });
      return found ? projection(options.projection)(found.doc) : null;
    });
  }

  countDocuments(filter: unknown, options: Options = {}): Promise<number> {
    return this.on(options, (table) => count(table, query(table, filter, this.guard), options));
  }

  estimatedDocumentCount(options?: Options): Promise<number> {
    return this.on(options, (table) => count(table, query(table, {}, this.guard)));
  }

  distinct(field: string, filter: unknown, options?: Options): Promise<unknown[]> {
    return this.on(options, (table) => {
      const docs = select(table, query(table, filter, this.guard));
      const values = docs.flatMap(({ doc }) => valuesAt(doc, field));
      values.sort(compareValues);
      return values.filter((value, i) => !i || compareValues(value, values[i - 1]) !== 0);
    });
  }

  aggregate(pipeline: readonly Doc[], options?: Options): EmbeddedCursor {
    return this.cursor(options, (table) => aggregate(table, pipeline, this.guard));
  }

  insertOne(doc: Doc, options?: Options): Promise<object> {
    return this.on(options, (table) => ({ acknowledged: true, insertedId: write.insertOne(table, doc) }));
  }

  insertMany(docs: readonly Doc[], options: Options = {}): Promise<object> {
    const ordered = options.ordered !== false;
    return this.on(options, (table) => {
      const { ids, failures } = write.insertMany(table, docs, ordered);
      if (!failures.length) return { acknowledged: true, insertedCount: ids.length, insertedIds: { ...ids } };
      const nInserted = ids.length - failures.length;
      const insertedIds = ids.map((_id, index) => ({ index, _id }));
      return bulkResult({ ...emptyTally(), nInserted, insertedIds }, failures, docs, ordered);
    });
  }

  updateOne(filter: unknown, spec: unknown, options: Options = {}): Promise<object> {
    return this.on(options, (table) =>
      updateResult(write.change(table, filter, operators(spec), false, options, this.guard)),
    );
  }

  updateMany(filter: unknown, spec: unknown, options: Options = {}): Promise<object> {
    return this.on(options, (table) =>
      updateResult(write.change(table, filter, operators(spec), true, options, this.guard)),
    );
  }

  replaceOne(filter: unknown, doc: Doc, options: Options = {}): Promise<object> {
    return this.on(options, (table) => updateResult(write.replace(table, filter, doc, options, this.guard)));
  }

  deleteOne(filter: unknown, options: Options = {}): Promise<object> {
    return this.on(options, (table) => {
      const removed = write.removeOne(table, filter, options.sort, this.guard);
      return { acknowledged: true, deletedCount: removed ? 1 : 0 };
    });
  }

  deleteMany(filter: unknown, options?: Options): Promise<object> {
    return this.on(options, (table) => ({
      acknowledged: true,
      deletedCount: write.removeMany(table, filter, this.guard),
    }));
  }

  findOneAndUpdate(filter: unknown, spec: unknown, options: Options = {}): Promise<Doc | null> {
    return this.on(options, (table) =>
      chosen(write.change(table, filter, operators(spec), false, options, this.guard), options),
    );
  }

  findOneAndReplace(filter: unknown, doc: Doc, options: Options = {}): Promise<Doc | null> {
    return this.on(options, (table) => chosen(write.replace(table, filter, doc, options, this.guard), options));
  }

  findOneAndDelete(filter: unknown, options: Options = {}): Promise<Doc | null> {
    return this.on(options, (table) => {
      const removed = write.removeOne(table, filter, options.sort, this.guard);
      const value = removed ? projection(options.projection)(removed) : null;
      return withMetadata(value, { n: removed ? 1 : 0 }, options);
    });
  }

  bulkWrite(ops: readonly Doc[], options: Options = {}): Promise<object> {
    const ordered = options.ordered !== false;
    return this.on(options, (table) => {
      const tally = emptyTally();
      const failures: write.InsertFailure[] = [];
      table.create();
      table.store.transaction(table.name, () => {
        for (const [index, op] of ops.entries()) {
          try {
            bulkOne(table, op, index, tally, this.guard);
          } catch (error) {
            if (!write.isWriteError(error)) throw error;
            failures.push({ index, error: error as Error });
            if (ordered) break;
          }
        }
      });
      return bulkResult(tally, failures, ops, ordered);
    });
  }

  createIndex(key: Doc, options: IndexOptions = {}): Promise<string> {
    return this.on(undefined, (table) => table.createIndex(plain(key) as Doc, plain(options) as IndexOptions));
  }

  dropIndex(name: string): Promise<object> {
    return this.on(undefined, (table) => {
      table.dropIndex(name);
      return { ok: 1 };
    });
  }

  listIndexes(): EmbeddedCursor {
    return this.cursor(undefined, (table) => [...listed(table)]);
  }

  async indexes(): Promise<Doc[]> {
    return this.listIndexes().toArray();
  }

  drop(): Promise<boolean> {
    const { store, name } = this.conn as EmbeddedConnection;
    return this.on(undefined, () => tableOf(store!, name, this.name).drop());
  }

  watch(): never {
    throw unsupported('change streams');
  }
}

function operators(spec: unknown): unknown {
  if (Array.isArray(spec)) throw unsupported('an update by pipeline');
  const bare = Object.keys((spec ?? {}) as Doc).find((key) => !key.startsWith('$'));
  if (bare) throw badValue(`an update needs operators, found the field ${bare}`, 9);
  return spec;
}

/** The document that a find-and-modify gives back. */
function chosen(changed: write.Changed, options: Options): Doc | null {
  const after = options.returnDocument === 'after' || options.returnOriginal === false || options.new === true;
  const doc = after ? changed.after : changed.before && decode(changed.before);
  const value = doc ? projection(options.projection)(doc) : null;
  const { upsertedId } = changed;
  const upserted = upsertedId !== undefined;
  return withMetadata(
    value,
    { n: changed.matched + (upserted ? 1 : 0), updatedExisting: !upserted, ...(upserted && { upserted: upsertedId }) },
    options,
  );
}

function withMetadata(value: Doc | null, lastErrorObject: Doc, options: Options): Doc | null {
  return options.includeResultMetadata ? { value, lastErrorObject, ok: 1 } : value;
}

function* listed(table: Table): Generator<Doc> {
  yield { v: 2, key: { _id: 1 }, name: '_id_' };
  for (const { name, fields, unique, sparse, partial } of table.indexes) {
    const key = Object.fromEntries(fields.map(({ path, direction }) => [path.text, direction]));
    yield {
      v: 2,
      key,
      name,
      ...(unique && { unique }),
      ...(sparse && { sparse }),
      ...(partial && { partialFilterExpression: partial }),
    };
  }
}

function bulkOne(table: Table, op: Doc, index: number, tally: BulkTally, guard: ScanGuard): void {
  const [[name, raw]] = Object.entries(op);
  const given = raw as write.ChangeOptions & { filter: Doc; update: Doc; document: Doc; replacement: Doc };
  switch (name) {
    case 'insertOne':
      tally.insertedIds.push({ index, _id: write.insertOne(table, given.document) });
      tally.nInserted++;
      return;
    case 'updateOne':
    case 'updateMany':
      tallied(write.change(table, given.filter, operators(given.update), name === 'updateMany', given, guard));
      return;
    case 'replaceOne':
      tallied(write.replace(table, given.filter, given.replacement, given, guard));
      return;
    case 'deleteOne':
      tally.nRemoved += write.removeOne(table, given.filter, undefined, guard) ? 1 : 0;
      return;
    case 'deleteMany':
      tally.nRemoved += write.removeMany(table, given.filter, guard);
      return;
    default:
      throw unsupported(`the bulk operation ${name}`);
  }

  function tallied({ matched, modified, upsertedId }: write.Changed): void {
    tally.nMatched += matched;
    tally.nModified += modified;
    if (upsertedId === undefined) return;
    tally.nUpserted++;
    tally.upserted.push({ index, _id: upsertedId });
  }
}
