/**
 * Writing: inserts, updates, replacements and deletes, each single-document change in one SQLite statement.
 *
 * I1  Everything here is synchronous: nothing runs between a document's reading and its writing.
 * I2  Many documents go in one transaction, for speed; what mongod would have kept before an error is kept.
 */
import mongoose from 'mongoose';
import { copyOf, type Doc, plain } from './codec.js';
import type { ScanGuard } from './database.js';
import { badValue, isDuplicateKey } from './errors.js';
import { isOperators } from './filter.js';
import { compareValues } from './order.js';
import { type Found, query, select } from './select.js';
import type { Table } from './table.js';
import { type Update, update } from './update.js';

const { ObjectId } = mongoose.Types;

/** A plain document with an _id; the given one is given its new _id too, as mongod's driver does. */
function identified(raw: Doc): Doc {
  if (raw._id === undefined) raw._id = new ObjectId();
  const doc = plain(raw) as Doc;
  return doc;
}

export function insertOne(table: Table, raw: Doc): unknown {
  const doc = identified(raw);
  table.insert(doc);
  return doc._id;
}

export interface InsertFailure {
  readonly index: number;
  readonly error: Error;
}

/** Inserts in one transaction; a refused document ends an ordered insert and is passed over by an unordered one. */
export function insertMany(
  table: Table,
  raws: readonly Doc[],
  ordered: boolean,
): { ids: unknown[]; failures: InsertFailure[] } {
  const ids: unknown[] = [];
  const failures: InsertFailure[] = [];
  table.create();
  table.store.transaction(table.name, () => {
    for (const [index, raw] of raws.entries()) {
      try {
        ids[index] = insertOne(table, raw);
      } catch (error) {
        if (!isWriteError(error)) throw error;
        ids[index] = raw._id;
        failures.push({ index, error: error as Error });
        if (ordered) break;
      }
    }
  });
  return { ids, failures };
}

/** Errors that mongod reports for one write of many, rather than for the whole operation. */
export function isWriteError(error: unknown): boolean {
  return isDuplicateKey(error) || error instanceof mongoose.mongo.MongoServerError;
}

export interface ChangeOptions {
  readonly upsert?: boolean;
  readonly sort?: unknown;
  readonly arrayFilters?: readonly unknown[];
}

export interface Changed {
  matched: number;
  modified: number;
  upsertedId?: unknown;
  /** The first document's text as it was, and the document as it is. */
  before?: string | undefined;
  after?: Doc;
}

/** Updates the first match, or every match. */
export function change(
  table: Table,
  filter: unknown,
  spec: unknown,
  many: boolean,
  options: ChangeOptions,
  guard: ScanGuard,
): Changed {
  return apply(table, filter, update(spec, options.arrayFilters), many, options, guard);
}

/** Replaces the first match, keeping its _id. */
export function replace(table: Table, filter: unknown, raw: Doc, options: ChangeOptions, guard: ScanGuard): Changed {
  const replacement = plain(raw) as Doc;
  const bad = Object.keys(replacement).find((key) => key.startsWith('$'));
  if (bad) throw badValue(`a replacement document cannot have the field ${bad}`, 9);
  const replaceBy = (doc: Doc) => {
    const { _id } = doc;
    for (const key of Object.keys(doc)) delete doc[key];
    if (_id !== undefined) doc._id = _id;
    Object.assign(doc, copyOf(replacement));
  };
  const become: Update = Object.assign(replaceBy, { counts: Object.keys(replacement)[0] !== '_id' });
  return apply(table, filter, become, false, options, guard);
}

function apply(
  table: Table,
  filter: unknown,
  become: Update,
  many: boolean,
  options: ChangeOptions,
  guard: ScanGuard,
): Changed {
  const ready = query(table, filter, guard, options.sort);
  const found = select(table, ready, many ? {} : { limit: 1 });
  if (!found.length && options.upsert) return upsert(table, ready.filter, become);
  const changed: Changed = { matched: found.length, modified: 0, before: found[0]?.text };
  if (found.length < 2) changeAll(table, found, become, changed);
  else keepGoing(table, () => changeAll(table, found, become, changed));
  return changed;
}

/** One transaction that keeps what was done before an error, as mongod does. */
function keepGoing(table: Table, work: () => void): void {
  let failure: { error: unknown } | undefined;
  table.store.transaction(table.name, () => {
    try {
      work();
    } catch (error) {
      failure = { error };
    }
  });
  if (failure) throw failure.error;
}

function changeAll(table: Table, found: readonly Found[], become: Update, changed: Changed): void {
  for (const { rid, text, doc } of found) {
    const keys = table.keysOf(doc);
    const { _id } = doc;
    become(doc, false);
    if (doc._id !== _id && compareValues(doc._id, _id) !== 0) {
      throw badValue("the immutable field '_id' would be altered", 66);
    }
    if (table.replace(rid, keys, text, doc) || become.counts) changed.modified++;
    changed.after ??= doc;
  }
}

function upsert(table: Table, filter: Doc, become: Update): Changed {
  const seed: Doc = {};
  update({ $set: Object.fromEntries(equalitiesOf(filter)) })(seed, true);
  become(seed, true);
  const { _id, ...rest } = seed;
  const doc = { _id: _id === undefined ? new ObjectId() : _id, ...rest };
  table.insert(doc);
  return { matched: 0, modified: 0, upsertedId: doc._id, after: doc };
}

/** The fields that an upsert takes from the filter: those that it says to be equal to one value. */
function equalitiesOf(filter: Doc, found = new Map<string, unknown>()): Map<string, unknown> {
  for (const [path, condition] of Object.entries(filter)) {
    const alone = path === '$or' && (condition as Doc[]).length === 1;
    if (path === '$and' || alone) for (const part of condition as Doc[]) equalitiesOf(part, found);
    else if (!path.startsWith('$')) {
      for (const value of equalValues(condition)) {
        if ([...found.keys()].some((other) => overlap(path, other))) {
          throw badValue(`cannot infer query fields to set, path '${path}' is matched twice`, 54);
        }
        found.set(path, value);
      }
    }
  }
  return found;
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

function equalValues(condition: unknown): unknown[] {
  if (condition instanceof RegExp) return [];
  if (!isOperators(condition)) return [condition];
  if ('$eq' in condition) return [condition.$eq];
  const { $all, $in } = condition as { $all?: unknown[]; $in?: unknown[] };
  const same = $in?.every((value) => compareValues(value, $in[0]) === 0);
  const values = $all ?? (same ? $in!.slice(0, 1) : []);
  return values.some((value) => value instanceof RegExp || isOperators(value)) ? [] : values;
}

/** Deletes the first match and gives it back. */
export function removeOne(table: Table, filter: unknown, sort: unknown, guard: ScanGuard): Doc | undefined {
  const [found] = select(table, query(table, filter, guard, sort), { limit: 1 });
  if (!found) return undefined;
  table.remove(found.rid);
  return found.doc;
}

/** Deletes every match; says how many. */
export function removeMany(table: Table, filter: unknown, guard: ScanGuard): number {
  if (!table.isCreated) return 0;
  const ready = query(table, filter, guard);
  if (ready.plan.exact && table.removesWhole) return table.removeWhere(ready.plan.from, ready.plan.parameters);
  const found = select(table, ready);
  table.store.transaction(table.name, () => {
    for (const { rid } of found) table.remove(rid);
  });
  return found.length;
}
