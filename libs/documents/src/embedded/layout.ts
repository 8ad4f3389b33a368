/**
 * The layout of a collection's table, derived from its definition: columns, flags, and the statements that write rows.
 *
 * I1  The key columns of a row are a function of its body.
 * I2  Where arrays make a path several values, the column is NULL and each value is a row of the path's side table.
 * I3  A document with arrays on two paths of one index is refused, as mongod refuses it.
 */
import type { Doc, Value } from './codec.js';
import type { Definition, IndexDefinition } from './definition.js';
import { badValue } from './errors.js';
import { isRecord } from './filter.js';
import { arrayOn, extract, extractAll, isObjectKey, type Key, keyOf, MULTI, type Path, pathOf } from './keys.js';
import { matcher } from './matching.js';

/** A row's keys: its key and flag columns in their order, and the several keys of paths with arrays. */
export interface Keys {
  readonly columns: readonly (Key | null)[];
  readonly several?: readonly Several[];
  /** Paths at which there is an object: their columns lose the order of their values. */
  readonly objects?: readonly string[];
}

/** The keys of one path of one document, where they are several. */
export interface Several {
  readonly path: string;
  readonly keys: readonly Key[];
}

interface Column {
  readonly name: string;
  readonly path: Path;
}

/** One flag column: 1 where the document is in a partial or sparse index, else NULL. */
interface Flag {
  readonly name: string;
  readonly holds: (doc: Doc) => boolean;
}

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export class Layout {
  readonly insert: string;
  readonly update: string;
  readonly updateBody: string;
  readonly remove: string;
  private readonly columns: readonly Column[];
  private readonly flags: readonly Flag[];
  private readonly compound: readonly IndexDefinition[];

  constructor(definition: Definition, table: string) {
    this.columns = [...definition.columns].map(([path, name]) => ({ name, path: pathOf(path) }));
    this.flags = definition.indexes.filter((index) => index.flag).map(flagOf);
    this.compound = definition.indexes.filter(({ fields }) => fields.length > 1);
    const names = [...this.columns, ...this.flags].map(({ name }) => name);
    const marks = names.map(() => ', ?').join('');
    this.insert = `INSERT INTO ${table} (id, body${names.map((name) => `, ${name}`).join('')}) VALUES (?, ?${marks})`;
    this.updateBody = `UPDATE ${table} SET body = ? WHERE rid = ?`;
    this.update = `UPDATE ${table} SET body = ?${names.map((name) => `, ${name} = ?`).join('')} WHERE rid = ?`;
    this.remove = `DELETE FROM ${table} WHERE rid = ?`;
  }

  keysOf(doc: Doc): Keys {
    const columns: (Key | null)[] = [];
    let several: Several[] | undefined;
    let objects = isRecord(doc._id) ? ['_id'] : undefined;
    for (const { path } of this.columns) {
      const value = extract(doc, path);
      if (value === MULTI) {
        several ??= [];
        several.push({ path: path.text, keys: distinct(extractAll(doc, path.parts).map(keyOf)) });
        columns.push(null);
        continue;
      }
      const key = keyOf(value);
      if (isObjectKey(key)) objects = [...(objects ?? []), path.text];
      columns.push(key);
    }
    if (several && several.length > 1) this.refuseParallelArrays(doc);
    for (const flag of this.flags) columns.push(flag.holds(doc) ? 1 : null);
    return { columns, several, objects };
  }

  /** I3 */
  private refuseParallelArrays(doc: Doc): void {
    for (const index of this.compound) {
      const arrays = new Set(index.fields.flatMap(({ path }) => arrayOn(doc, path.parts) ?? []));
      if (arrays.size < 2 || (index.flag && !flagOf(index).holds(doc))) continue;
      throw badValue(`cannot index parallel arrays ${[...arrays].map((path) => `[${path}]`).join(' ')}`, 171);
    }
  }
}

function flagOf(index: IndexDefinition): Flag {
  const matches = index.partial ? matcher(index.partial) : () => true;
  const present = (doc: Doc) => index.fields.some(({ path }) => extract(doc, path) !== undefined);
  return { name: index.flag!, holds: (doc) => matches(doc) && (!index.sparse || present(doc)) };
}

function distinct(keys: readonly Key[]): Key[] {
  const seen = new Map<string, Key>();
  for (const key of keys)
    seen.set(`${typeof key}${key instanceof Uint8Array ? Buffer.from(key).toString('hex') : key}`, key);
  return [...seen.values()];
}

/** The key of a document's _id. Throws BadValue for what cannot be one. */
export function idKey(id: Value): Key {
  if (Array.isArray(id) || id instanceof RegExp || id === undefined) throw badValue('_id cannot be an array', 53);
  return keyOf(id);
}

/** Whether two rows' keys are the same. */
export function sameKeys(a: Keys, b: Keys): boolean {
  if (!sameAll(a.columns, b.columns)) return false;
  if (!a.several && !b.several) return true;
  if (a.several?.length !== b.several?.length) return false;
  return a.several!.every(({ path, keys }, i) => path === b.several![i].path && sameAll(keys, b.several![i].keys));
}

function sameAll(a: readonly (Key | null)[], b: readonly (Key | null)[]): boolean {
  return (
    a.length === b.length && a.every((key, i) => key === b[i] || (key instanceof Uint8Array && sameBytes(key, b[i])))
  );
}

function sameBytes(a: Uint8Array, b: Key | null): boolean {
  return b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
