/**
 * One collection as one SQLite table: rid, _id, the body as text, and one column for each indexed path.
 *
 * I1  The key columns of a row are a function of its body: they are written together, in one statement.
 * I2  rid grows with insertion; it is the natural order.
 * I3  A unique index of SQLite is what refuses a duplicate; its error is turned into E11000.
 */
import type { SQLInputValue } from 'node:sqlite';
import { type Doc, decode, encode, type Value } from './codec.js';
import type { Row, Store } from './database.js';
import {
  type Definition,
  defineIndex,
  emptyDefinition,
  type IndexDefinition,
  type IndexOptions,
  readDefinition,
  sameIndex,
  storeDefinition,
} from './definition.js';
import { badValue, duplicateKey, unsupported } from './errors.js';
import { matcher } from './filter.js';
import { extract, type Key, keyOf, MULTI, NULL_KEY, type Path, pathOf } from './keys.js';

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** The values of a row's key and flag columns, in their order. */
export type Keys = readonly (Key | null)[];

interface Column {
  readonly name: string;
  readonly path: Path;
}

/** One flag column: 1 where the document is in the index, else NULL. */
interface Flag {
  readonly name: string;
  readonly holds: (doc: Doc) => boolean;
}

export class Table {
  readonly sql: string;
  private definition: Definition;
  private columns: Column[] = [];
  private flags: Flag[] = [];
  private insertSql = '';
  private updateSql = '';
  private updateBodySql = '';
  private deleteSql = '';
  private exists: boolean;

  constructor(
    readonly store: Store,
    /** `database.collection` */
    readonly name: string,
  ) {
    this.sql = quote(`doc_${name}`);
    const [text] = this.catalogued();
    this.exists = text !== undefined;
    this.definition = text === undefined ? emptyDefinition() : readDefinition(text);
    this.prepare();
  }

  private catalogued(): string[] {
    const row = this.store.statement('SELECT definition FROM doc_catalogue WHERE name = ?').get(this.name);
    return (row as unknown as string[] | undefined) ?? [];
  }

  get indexes(): readonly IndexDefinition[] {
    return this.definition.indexes;
  }

  get isCreated(): boolean {
    return this.exists;
  }

  columnOf(path: string): string | undefined {
    return path === '_id' ? 'id' : this.definition.columns.get(path);
  }

  /** The SQL name of an index, for INDEXED BY. */
  indexSql(index: IndexDefinition): string {
    return quote(`doc_${this.name}#${index.name}`);
  }

  create(): void {
    if (this.exists) return;
    this.store.transaction(() => {
      this.store.db.exec(`CREATE TABLE ${this.sql} (rid INTEGER PRIMARY KEY, id NOT NULL UNIQUE, body TEXT NOT NULL)`);
      this.save();
    });
    this.exists = true;
  }

  drop(): boolean {
    if (!this.exists) return false;
    this.store.forget();
    this.store.db.exec(`DROP TABLE ${this.sql}`);
    this.store.statement('DELETE FROM doc_catalogue WHERE name = ?').run(this.name);
    this.definition = emptyDefinition();
    this.exists = false;
    this.prepare();
    return true;
  }

  private save(): void {
    this.store
      .statement('INSERT OR REPLACE INTO doc_catalogue VALUES (?, ?)')
      .run(this.name, storeDefinition(this.definition));
  }

  private prepare(): void {
    this.columns = [...this.definition.columns].map(([path, name]) => ({ name, path: pathOf(path) }));
    this.flags = this.definition.indexes.filter((index) => index.flag).map((index) => flagOf(index));
    const names = [...this.columns, ...this.flags].map(({ name }) => name);
    const marks = names.map(() => ', ?').join('');
    this.insertSql = `INSERT INTO ${this.sql} (id, body${names.map((name) => `, ${name}`).join('')}) VALUES (?, ?${marks})`;
    this.updateBodySql = `UPDATE ${this.sql} SET body = ? WHERE rid = ?`;
    this.updateSql = `UPDATE ${this.sql} SET body = ?${names.map((name) => `, ${name} = ?`).join('')} WHERE rid = ?`;
    this.deleteSql = `DELETE FROM ${this.sql} WHERE rid = ?`;
  }

  /** Inserts a plain document that has its _id. Throws E11000. */
  insert(doc: Doc): void {
    if (!this.exists) this.create();
    const keys = this.keysOf(doc);
    const id = idKey(doc._id);
    try {
      this.store.statement(this.insertSql).run(id, encode(doc), ...keys);
    } catch (error) {
      throw this.explain(error, doc);
    }
  }

  /** Writes the changed body of a row, whose keys and text were these; false when nothing changed. Throws E11000. */
  replace(rid: number, keysBefore: Keys, textBefore: string, after: Doc): boolean {
    const text = encode(after);
    if (text === textBefore) return false;
    const keys = this.keysOf(after);
    const moved = !sameKeys(keys, keysBefore);
    const statement = this.store.statement(moved ? this.updateSql : this.updateBodySql);
    try {
      statement.run(text, ...(moved ? keys : []), rid);
    } catch (error) {
      throw this.explain(error, after);
    }
    return true;
  }

  remove(rid: number): void {
    this.store.statement(this.deleteSql).run(rid);
  }

  /** Deletes what a plan's FROM and WHERE select, without reading it. */
  removeWhere(from: string, parameters: readonly SQLInputValue[]): number {
    return Number(this.store.statement(`DELETE ${from}`).run(...parameters).changes);
  }

  /** The key columns of a document. */
  keysOf(doc: Doc): Keys {
    const keys: (Key | null)[] = [];
    for (const column of this.columns) keys.push(this.keyAt(doc, column));
    for (const flag of this.flags) keys.push(flag.holds(doc) ? 1 : null);
    return keys;
  }

  private keyAt(doc: Doc, column: Column): Key {
    const value = extract(doc, column.path);
    if (value !== MULTI) return keyOf(value);
    this.becomeMultikey(column.path.text);
    return NULL_KEY;
  }

  /** A document with an array on an indexed path: the planner no longer uses the indexes on it. */
  private becomeMultikey(path: string): void {
    const touched = this.definition.indexes.filter((index) => index.fields.some((field) => field.path.text === path));
    const unique = touched.find((index) => index.unique);
    if (unique) throw unsupported(`arrays under the unique index ${unique.name}`);
    if (touched.every((index) => index.multikey)) return;
    for (const index of touched) index.multikey = true;
    this.save();
  }

  /** Makes an index, filling its columns from the documents that are there. Returns its name. */
  createIndex(key: Doc, options: IndexOptions): string {
    this.create();
    if (isIdKey(key)) return '_id_';
    const next: Definition = { ...this.definition, columns: new Map(this.definition.columns) };
    const index = defineIndex(next, key, options);
    const known = this.definition.indexes.find(({ name }) => name === index.name);
    if (known && sameIndex(known, index)) return known.name;
    if (known) throw badValue(`an index named ${index.name} exists with other options; drop it first`, 86);
    const previous = this.definition;
    try {
      this.store.transaction(() => this.build(next, index));
    } catch (error) {
      this.definition = previous;
      this.prepare();
      this.store.forget();
      throw error;
    }
    return index.name;
  }

  private build(next: Definition, index: IndexDefinition): void {
    const fresh = [...next.columns].filter(([path]) => !this.definition.columns.has(path)).map(([, name]) => name);
    if (index.flag) fresh.push(index.flag);
    for (const name of fresh) this.store.db.exec(`ALTER TABLE ${this.sql} ADD COLUMN ${name}`);
    this.definition = { ...next, indexes: [...this.definition.indexes, index] };
    this.prepare();
    if (fresh.length) this.refill();
    const fields = index.fields.map(({ column, direction }) => `${column}${direction === -1 ? ' DESC' : ''}`);
    const where = index.flag ? ` WHERE ${index.flag} = 1` : '';
    try {
      this.store.db.exec(
        `CREATE ${index.unique ? 'UNIQUE ' : ''}INDEX ${this.indexSql(index)} ON ${this.sql} (${fields.join(', ')})${where}`,
      );
    } catch (error) {
      throw isUniqueError(error) ? duplicateKey(this.name, index.name, {}) : error;
    }
    this.save();
    this.store.forget();
  }

  private refill(): void {
    const all = this.store.db.prepare(`SELECT rid, body FROM ${this.sql}`);
    const update = this.store.db.prepare(this.updateSql);
    for (const { rid, body } of all.all() as { rid: number; body: string }[]) {
      update.run(body, ...this.keysOf(decode(body)), rid);
    }
  }

  dropIndex(name: string): void {
    const index = this.definition.indexes.find((candidate) => candidate.name === name);
    if (!index) throw badValue(`index not found with name [${name}]`, 27);
    this.store.forget();
    this.store.db.exec(`DROP INDEX ${this.indexSql(index)}`);
    this.definition.indexes.splice(this.definition.indexes.indexOf(index), 1);
    this.prepare();
    this.save();
  }

  /** Rows of a SELECT as arrays. */
  rows(sql: string, parameters: readonly SQLInputValue[]): Row[] {
    return this.store.statement(sql).all(...parameters) as unknown as Row[];
  }

  /** Rows of a SELECT as arrays, one at a time. */
  iterate(sql: string, parameters: readonly SQLInputValue[]): Iterable<Row> {
    return this.store.statement(sql).iterate(...parameters) as unknown as Iterable<Row>;
  }

  isLargerThan(limit: number): boolean {
    return this.exists && this.rows(`SELECT 1 FROM ${this.sql} LIMIT 1 OFFSET ?`, [limit]).length > 0;
  }

  private explain(error: unknown, doc: Doc): unknown {
    if (!isUniqueError(error)) return error;
    const message = (error as Error).message;
    if (/\.id$/.test(message)) return duplicateKey(this.name, '_id_', { _id: doc._id });
    const columns = [...message.matchAll(/\.(k\d+)(?=,|$)/g)].map((match) => match[1]);
    const index = this.definition.indexes.find(
      ({ fields, unique }) => unique && fields.map(({ column }) => column).join() === columns.join(),
    );
    const values = (index?.fields ?? []).map(({ path }) => [path.text, extract(doc, path) ?? null]);
    return duplicateKey(this.name, index?.name ?? 'unknown', Object.fromEntries(values));
  }
}

function flagOf(index: IndexDefinition): Flag {
  const matches = index.partial ? matcher(index.partial) : () => true;
  const present =
    ({ path }: { path: Path }) =>
    (doc: Doc) =>
      extract(doc, path) !== undefined;
  const tests = index.sparse ? index.fields.map(present) : [];
  const holds = (doc: Doc) => matches(doc) && (!tests.length || tests.some((test) => test(doc)));
  return { name: index.flag!, holds };
}

function isUniqueError(error: unknown): boolean {
  return /UNIQUE constraint failed/.test((error as Error)?.message);
}

function isIdKey(key: Doc): boolean {
  return Object.keys(key).join() === '_id';
}

function idKey(id: Value): Key {
  if (Array.isArray(id) || id instanceof RegExp || id === undefined) throw badValue('_id cannot be an array', 53);
  return keyOf(id);
}

function sameKeys(a: Keys, b: Keys): boolean {
  return a.every((key, i) => key === b[i] || (key instanceof Uint8Array && sameBytes(key, b[i])));
}

function sameBytes(a: Uint8Array, b: Key | null): boolean {
  return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
