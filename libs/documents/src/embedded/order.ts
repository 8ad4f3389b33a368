/** BSON's order of values, and sorting by it. */
import type { Doc, Value } from './codec.js';
import { badValue, unsupported } from './errors.js';
import { isRecord } from './filter.js';
import { arrayOn, extractAll, type Key, keyOf, NULL_KEY } from './keys.js';

export type Sort = readonly (readonly [string, 1 | -1])[];

/** Sorts before null: an empty array has no element to sort by. */
const EMPTY = Symbol('empty');
const EMPTY_KEY = Number.NaN;

function rank(key: SortKey): number {
  if (typeof key === 'number') return Number.isNaN(key) ? -1 : 0;
  return typeof key === 'string' ? 1 : 2;
}

/** What a value is sorted by: its key, but an object or array itself, whose key has their text's order. */
type SortKey = Key | Composite;

class Composite {
  constructor(readonly value: Doc | Value[]) {}
}

const sortKeyOf = (value: Value): SortKey =>
  Array.isArray(value) || isRecord(value) ? new Composite(value as Doc) : keyOf(value);

/** Negative, zero or positive as `a` sorts before, with or after `b`; missing sorts as null. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b || compareKeys(keyOf(a), keyOf(b));
  return compareKeys(sortKeyOf(a), sortKeyOf(b));
}

/** Objects compare field by field in their own order: by type, by name, by value; arrays element by element. */
function compareComposites(a: Doc | Value[], b: Doc | Value[]): number {
  const order = Number(Array.isArray(a)) - Number(Array.isArray(b));
  if (order) return order;
  const [ours, theirs] = [Object.entries(a), Object.entries(b)];
  for (const [i, [name, value]] of ours.entries()) {
    if (i === theirs.length) return 1;
    const [otherName, other] = theirs[i];
    const found = kind(value) - kind(other) || compareStrings(name, otherName) || compareValues(value, other);
    if (found) return found;
  }
  return ours.length - theirs.length;
}

/** The rank of a value's type among all types. */
function kind(value: Value): number {
  const key = keyOf(value);
  if (typeof key === 'number') return key === NULL_KEY ? 0 : 1;
  return typeof key === 'string' ? 2 : 2 + key[0];
}

function compareKeys(a: SortKey, b: SortKey): number {
  const order = rank(a) - rank(b);
  if (order) return order;
  if (a instanceof Composite) return b instanceof Composite ? compareComposites(a.value, b.value) : -1;
  if (b instanceof Composite) return 1;
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  if (typeof a === 'string') return compareStrings(a, b as string);
  return a < (b as number) ? -1 : a > (b as number) ? 1 : 0;
}

/** By code point, as UTF-8 bytes compare; JavaScript's own order is by UTF-16 unit. */
function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : x - y;
  }
  return a.length - b.length;
}

/** The sort of an operation's options as pairs. */
export function sortOf(sort: unknown): Sort {
  if (sort === undefined || sort === null) return [];
  if (typeof sort === 'string') return [[sort, 1]];
  const entries = sort instanceof Map ? [...sort] : Array.isArray(sort) ? pairs(sort) : Object.entries(sort);
  return entries.map(([path, direction]) => [path as string, directionOf(direction)]);
}

function pairs(sort: unknown[]): [unknown, unknown][] {
  return sort.map((item) => (Array.isArray(item) ? (item as [unknown, unknown]) : [item, 1]));
}

function directionOf(direction: unknown): 1 | -1 {
  if (direction === 1 || direction === 'asc' || direction === 'ascending') return 1;
  if (direction === -1 || direction === 'desc' || direction === 'descending') return -1;
  if (isRecord(direction)) throw unsupported('sorting by $meta');
  throw badValue(`bad sort specification ${JSON.stringify(direction)}`);
}

/**
 * Sorts documents in place, stably; an array sorts by its least element ascending, by its greatest descending. Throws
 * BadValue where a document has arrays on two of the paths, as mongod does.
 */
export function sortDocs<T>(items: T[], docOf: (item: T) => Doc, sort: Sort): T[] {
  const specs = sort.map(([path, direction]) => ({ parts: path.split('.'), direction }));
  const keyed = items.map((item) => {
    const doc = docOf(item);
    if (specs.length > 1) refuseParallelArrays(doc, specs);
    return { item, keys: specs.map((spec) => sortKey(doc, spec)) };
  });
  keyed.sort((a, b) => {
    for (let i = 0; i < specs.length; i++) {
      const order = compareKeys(a.keys[i], b.keys[i]);
      if (order) return order * specs[i].direction;
    }
    return 0;
  });
  return keyed.map(({ item }, i) => (items[i] = item));
}

interface SortSpec {
  readonly parts: readonly string[];
  readonly direction: 1 | -1;
}

function refuseParallelArrays(doc: Doc, specs: readonly SortSpec[]): void {
  const arrays = new Set(specs.flatMap(({ parts }) => arrayOn(doc, parts) ?? []));
  if (arrays.size > 1) throw badValue(`cannot sort with keys that are parallel arrays: ${[...arrays].join(', ')}`);
}

function sortKey(doc: Doc, { parts, direction }: SortSpec): SortKey {
  const keys = extractAll(doc, parts, 0, EMPTY).map((value) => (value === EMPTY ? EMPTY_KEY : sortKeyOf(value)));
  return keys.reduce((best, key) => (compareKeys(key, best) * direction < 0 ? key : best));
}
