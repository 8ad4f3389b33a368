/** What the catalogue remembers of a collection: its key columns and its declared indexes. */

import type { Doc } from './codec.js';
import { badValue, unsupported } from './errors.js';
import { type Path, pathOf } from './keys.js';

export interface IndexField {
  readonly path: Path;
  readonly column: string;
  readonly direction: 1 | -1;
}

export interface IndexDefinition {
  readonly name: string;
  readonly fields: readonly IndexField[];
  readonly unique: boolean;
  readonly sparse: boolean;
  /** Only documents that match are in the index. */
  readonly partial?: Doc;
  /** The column that says whether a document is in a partial or sparse index. */
  readonly flag?: string;
}

/** One indexed path has one column, shared by all indexes that name it. */
export interface Definition {
  readonly columns: Map<string, string>;
  readonly indexes: readonly IndexDefinition[];
  /** Paths at which some document has an array on the way: their several values are in side tables. */
  readonly multikey: Set<string>;
  /** Paths at which some document has or had an object: their columns find it, but do not order it. */
  readonly objects: Set<string>;
  /** Numbers new columns. */
  next: number;
}

interface Stored {
  columns: Record<string, string>;
  multikey: string[];
  /** Left out by stores that are older than it. */
  objects?: string[];
  indexes: (Omit<IndexDefinition, 'fields'> & { key: [string, 1 | -1][] })[];
  next: number;
}

export const emptyDefinition = (): Definition => ({
  columns: new Map(),
  indexes: [],
  multikey: new Set(),
  objects: new Set(),
  next: 0,
});

export function storeDefinition(definition: Definition): string {
  const indexes = definition.indexes.map(({ fields, ...index }) => ({
    ...index,
    key: fields.map((field) => [field.path.text, field.direction]),
  }));
  const { columns, multikey, objects, next } = definition;
  return JSON.stringify({
    columns: Object.fromEntries(columns),
    indexes,
    multikey: [...multikey],
    objects: [...objects],
    next,
  });
}

export function readDefinition(text: string): Definition {
  const stored = JSON.parse(text) as Stored;
  const columns = new Map(Object.entries(stored.columns));
  const indexes = stored.indexes.map(({ key, ...index }) => ({ ...index, fields: fieldsOf(key, columns) }));
  const { multikey, objects, next } = stored;
  return { columns, indexes, multikey: new Set(multikey), objects: new Set(objects), next };
}

function fieldsOf(key: readonly [string, 1 | -1][], columns: ReadonlyMap<string, string>): IndexField[] {
  return key.map(([path, direction]) => ({ path: pathOf(path), direction, column: columns.get(path)! }));
}

const KNOWN_OPTIONS = new Set(['name', 'unique', 'sparse', 'partialFilterExpression', 'background', 'v', 'ns']);

export interface IndexOptions {
  name?: string;
  unique?: boolean;
  sparse?: boolean;
  partialFilterExpression?: Doc;
  [option: string]: unknown;
}

/**
 * An index definition in mongod's terms, checked; new paths and a flag get their columns in `definition`.
 * Throws UNSUPPORTED for text, geo, hashed, TTL and collation indexes.
 */
export function defineIndex(definition: Definition, key: Doc, options: IndexOptions): IndexDefinition {
  const strange = Object.keys(options).find((option) => options[option] !== undefined && !KNOWN_OPTIONS.has(option));
  if (strange) throw unsupported(`the index option ${strange}`);
  const entries = Object.entries(key);
  if (!entries.length) throw badValue('an index needs at least one field', 67);
  const directions = entries.map(([path, direction]) => [path, directionOf(path, direction)] as [string, 1 | -1]);
  for (const [path] of directions) if (!definition.columns.has(path)) addColumn(definition, path);
  const partial = options.partialFilterExpression;
  const needsFlag = partial !== undefined || options.sparse === true;
  return {
    name: options.name ?? directions.map(([path, direction]) => `${path}_${direction}`).join('_'),
    fields: fieldsOf(directions, definition.columns),
    unique: options.unique === true,
    sparse: options.sparse === true,
    ...(partial && { partial }),
    ...(needsFlag && { flag: `f${definition.next++}` }),
  };
}

function directionOf(path: string, direction: unknown): 1 | -1 {
  if (direction === 1 || direction === -1) return direction;
  throw unsupported(`an index of kind ${JSON.stringify(direction)} on ${path}`);
}

function addColumn(definition: Definition, path: string): void {
  definition.columns.set(path, `k${definition.next++}`);
}

/** Whether two definitions ask for the same index. */
export function sameIndex(a: IndexDefinition, b: IndexDefinition): boolean {
  const shape = ({ fields, unique, sparse, partial }: IndexDefinition) =>
    JSON.stringify([fields.map((field) => [field.path.text, field.direction]), unique, sparse, partial ?? null]);
  return shape(a) === shape(b);
}
