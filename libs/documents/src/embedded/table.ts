/**
 * One collection as one SQLite table: rid, _id, the body as text, and one column for each indexed path.
 *
 * I1  A body and its keys are written together: in one statement, or with side rows in one transaction.
 * I2  rid grows with insertion; it is the natural order.
 * I3  A unique index of SQLite is what refuses a duplicate; its error is turned into E11000 (duplicates.ts).
 */
import type { SQLInputValue } from 'node:sqlite';
import { type Doc, decode, encode } from './codec.js';
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
import { duplicateOf, isDuplicate } from './duplicates.js';
import { badValue, duplicateKey, unsupported } from './errors.js';
import { idKey, type Keys, Layout, quote, type Several, sameKeys } from './layout.js';

export class Table {
  readonly sql: string;
  private definition!: Definition;
  private layout!: Layout;
  private exists = false;

  constructor(
    readonly store: Store,
    /** `database.collection` */
    readonly name: string,
  ) {
    this.sql = quote(`doc_${name}`);
    this.reload();
  }

  /** Reads the definition as the catalogue has it: at first, and after a transaction was rolled back. */
  reload(): void {
    const [row] = this.rows('SELECT definition FROM doc_catalogue WHERE name = ?', [this.name]);
    this.exists = row !== undefined;
    this.become(row ? readDefinition(row[0] as string) : emptyDefinition());
  }

  get indexes(): readonly IndexDefinition[] {
    return this.definition.indexes;
  }

  get isCreated(): boolean {
    return this.exists;
  }

  /** The column of an indexed path. */
  columnOf(path: string): string | undefined {
    return path === '_id' ? 'id' : this.definition.columns.get(path);
  }

  /** Whether some document has several values at an indexed path: then they are in its side table. */
  isMultikey(path: string): boolean {
    return this.definition.multikey.has(path);
  }

  /** Whether the order of a column is the order of its path's values. */
  isOrdered(path: string): boolean {
    return this.columnOf(path) !== undefined && !this.isMultikey(path) && !this.definition.objects.has(path);
  }

  /** The side table of a path: (v, rid). */
  sideSql(path: string): string {
    return quote(`doc_${this.name}#${this.columnOf(path)}`);
  }

  /** The SQL name of an index, for INDEXED BY. */
  indexSql(index: IndexDefinition): string {
    return quote(`doc_${this.name}#${index.name}`);
  }

  create(): void {
    if (this.exists) return;
    this.store.transaction(this.name, () => {
      this.store.db.exec(`CREATE TABLE ${this.sql} (rid INTEGER PRIMARY KEY, id NOT NULL UNIQUE, body TEXT NOT NULL)`);
      this.save();
    });
    this.exists = true;
  }

  drop(): boolean {
    if (!this.exists) return false;
    this.store.forget();
    for (const path of this.definition.multikey) this.store.db.exec(`DROP TABLE ${this.sideSql(path)}`);
    this.store.db.exec(`DROP TABLE ${this.sql}`);
    this.store.statement('DELETE FROM doc_catalogue WHERE name = ?').run(this.name);
    this.become(emptyDefinition());
    this.exists = false;
    return true;
  }

  private become(definition: Definition): void {
    this.definition = definition;
    this.layout = new Layout(definition, this.sql);
  }

  private save(): void {
    this.store
      .statement('INSERT OR REPLACE INTO doc_catalogue VALUES (?, ?)')
      .run(this.name, storeDefinition(this.definition));
  }

  /** Inserts a plain document that has its _id. Throws E11000. */
  insert(doc: Doc): void {
    if (!this.exists) this.create();
    const keys = this.layout.keysOf(doc);
    const id = idKey(doc._id);
    if (keys.objects) this.noteObjects(keys.objects);
    if (!keys.several) this.write(doc, this.layout.insert, id, encode(doc), ...keys.columns);
    else {
      this.store.transaction(this.name, () => {
        const rid = this.write(doc, this.layout.insert, id, encode(doc), ...keys.columns);
        this.writeSeveral(rid, keys.several!);
      });
    }
  }

  /** Writes the changed body of a row, whose keys and text were these; false when nothing changed. Throws E11000. */
  replace(rid: number, keysBefore: Keys, textBefore: string, after: Doc): boolean {
    const text = encode(after);
    if (text === textBefore) return false;
    const keys = this.layout.keysOf(after);
    if (keys.objects) this.noteObjects(keys.objects);
    if (sameKeys(keys, keysBefore)) this.write(after, this.layout.updateBody, text, rid);
    else if (!keys.several && !keysBefore.several) this.write(after, this.layout.update, text, ...keys.columns, rid);
    else {
      this.store.transaction(this.name, () => {
        this.write(after, this.layout.update, text, ...keys.columns, rid);
        this.removeSeveral(rid);
        this.writeSeveral(rid, keys.several ?? []);
      });
    }
    return true;
  }

  /** Told before a row is written: a column that is thought to hold objects and does not is slower, and not wrong. */
  private noteObjects(paths: readonly string[]): void {
    const known = this.definition.objects;
    if (paths.every((path) => known.has(path))) return;
    for (const path of paths) known.add(path);
    this.save();
  }

  private write(doc: Doc, sql: string, ...parameters: SQLInputValue[]): number {
    try {
      const run = () => Number(this.store.statement(sql).run(...parameters).lastInsertRowid);
      return this.store.change(this.name, run);
    } catch (error) {
      throw duplicateOf(error, doc, this);
    }
  }

  private writeSeveral(rid: number, several: readonly Several[]): void {
    for (const { path, keys } of several) {
      this.becomeMultikey(path);
      const insert = this.store.statement(`INSERT INTO ${this.sideSql(path)} VALUES (?, ?)`);
      for (const key of keys) insert.run(key, rid);
    }
  }

  private removeSeveral(rid: number): void {
    for (const path of this.definition.multikey) {
      this.store.statement(`DELETE FROM ${this.sideSql(path)} WHERE rid = ?`).run(rid);
    }
  }

  /** The first document with an array on an indexed path makes the path's side table. */
  private becomeMultikey(path: string): void {
    if (this.isMultikey(path)) return;
    const unique = this.indexes.find(
      ({ fields, unique }) => unique && fields.some((field) => field.path.text === path),
    );
    if (unique) throw unsupported(`arrays under the unique index ${unique.name}`);
    const side = this.sideSql(path);
    this.store.db.exec(`CREATE TABLE IF NOT EXISTS ${side} (v, rid INTEGER, PRIMARY KEY (v, rid)) WITHOUT ROWID`);
    const byRid = quote(`doc_${this.name}#${this.columnOf(path)}#rid`);
    this.store.db.exec(`CREATE INDEX IF NOT EXISTS ${byRid} ON ${side} (rid)`);
    this.definition.multikey.add(path);
    this.save();
  }

  remove(rid: number): void {
    const remove = () => this.store.statement(this.layout.remove).run(rid);
    if (!this.definition.multikey.size) this.store.change(this.name, remove);
    else {
      this.store.transaction(this.name, () => {
        this.removeSeveral(rid);
        remove();
      });
    }
  }

  /** Whether rows can be deleted without being read. */
  get removesWhole(): boolean {
    return !this.definition.multikey.size;
  }

  /** Deletes what a plan's FROM and WHERE select, without reading it. */
  removeWhere(from: string, parameters: readonly SQLInputValue[]): number {
    return this.store.change(this.name, () =>
      Number(this.store.statement(`DELETE ${from}`).run(...parameters).changes),
    );
  }

  keysOf(doc: Doc): Keys {
    return this.layout.keysOf(doc);
  }

  /** Makes an index, filling its columns from the documents that are there. Returns its name. */
  createIndex(key: Doc, options: IndexOptions): string {
    this.create();
    if (Object.keys(key).join() === '_id') return '_id_';
    const next: Definition = { ...this.definition, columns: new Map(this.definition.columns) };
    const index = defineIndex(next, key, options);
    const known = this.indexes.find(({ name }) => name === index.name);
    if (known && sameIndex(known, index)) return known.name;
    if (known) throw badValue(`an index named ${index.name} exists with other options; drop it first`, 86);
    try {
      this.store.transaction(this.name, () => this.build(next, index));
    } finally {
      this.store.forget();
    }
    return index.name;
  }

  private build(next: Definition, index: IndexDefinition): void {
    const fresh = [...next.columns].filter(([path]) => !this.definition.columns.has(path)).map(([, name]) => name);
    if (index.flag) fresh.push(index.flag);
    for (const name of fresh) this.store.db.exec(`ALTER TABLE ${this.sql} ADD COLUMN ${name}`);
    const { multikey, objects } = this.definition;
    const seen = { multikey: new Set(multikey), objects: new Set(objects) };
    this.become({ ...next, ...seen, indexes: [...this.indexes, index] });
    if (fresh.length) this.refill();
    this.createSql(index);
    this.save();
  }

  private refill(): void {
    const all = this.store.db.prepare(`SELECT rid, body FROM ${this.sql}`).all() as { rid: number; body: string }[];
    for (const { rid, body } of all) {
      const keys = this.layout.keysOf(decode(body));
      for (const path of keys.objects ?? []) this.definition.objects.add(path);
      this.store.statement(this.layout.update).run(body, ...keys.columns, rid);
      if (!keys.several) continue;
      this.removeSeveral(rid);
      this.writeSeveral(rid, keys.several);
    }
  }

  private createSql(index: IndexDefinition): void {
    const fields = index.fields
      .map(({ column, direction }) => `${column}${direction === -1 ? ' DESC' : ''}`)
      .join(', ');
    const where = index.flag ? ` WHERE ${index.flag} = 1` : '';
    const kind = index.unique ? 'UNIQUE INDEX' : 'INDEX';
    try {
      this.store.db.exec(`CREATE ${kind} ${this.indexSql(index)} ON ${this.sql} (${fields})${where}`);
    } catch (error) {
      throw isDuplicate(error) ? duplicateKey(this.name, index.name, {}) : error;
    }
  }

  dropIndex(name: string): void {
    const index = this.indexes.find((candidate) => candidate.name === name);
    if (!index) throw badValue(`index not found with name [${name}]`, 27);
    this.store.forget();
    this.store.db.exec(`DROP INDEX ${this.indexSql(index)}`);
    this.become({ ...this.definition, indexes: this.indexes.filter((other) => other !== index) });
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

  /** The documents of these rows, in this order; those that are gone are left out. */
  bodies(rids: readonly number[]): Doc[] {
    const sql = `SELECT rid, body FROM ${this.sql} WHERE rid IN (SELECT value FROM json_each(?))`;
    const texts = new Map(this.rows(sql, [JSON.stringify(rids)]) as unknown as [number, string][]);
    return rids.filter((rid) => texts.has(rid)).map((rid) => decode(texts.get(rid)!));
  }

  isLargerThan(limit: number): boolean {
    return this.exists && this.rows(`SELECT 1 FROM ${this.sql} LIMIT 1 OFFSET ?`, [limit]).length > 0;
  }
}
