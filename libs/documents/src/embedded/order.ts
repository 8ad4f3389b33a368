/** BSON's order of values, and sorting by it. */
import type { Doc, Value } from './codec.js';
import { badValue, unsupported } from './errors.js';
import { isRecord } from './filter.js';
import { extractAll, type Key, keyOf } from './keys.js';

export type Sort = readonly (readonly [string, 1 | -1])[];

/** Sorts before null: an empty array has no element to sort by. */
const EMPTY = Symbol('empty');
const EMPTY_KEY = Number.NaN;

function rank(key: Key): number {
  if (typeof key === 'number') return Number.isNaN(key) ? -1 : 0;
  return typeof key === 'string' ? 1 : 2;
}

/** Negative, zero or positive as `a` sorts before, with or after `b`; missing sorts as null. */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b || compareKeys(keyOf(a), keyOf(b));
  return compareKeys(keyOf(a), keyOf(b));
}

function compareKeys(a: Key, b: Key): number {
  const order = rank(a) - rank(b);
  if (order) return order;
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

/** Sorts documents in place, stably; an array sorts by its least element ascending, by its greatest descending. */
export function sortDocs<T>(items: T[], docOf: (item: T) => Doc, sort: Sort): T[] {
  const specs = sort.map(([path, direction]) => ({ parts: path.split('.'), direction }));
  const keyed = items.map((item) => ({ item, keys: specs.map((spec) => sortKey(docOf(item), spec)) }));
  keyed.sort((a, b) => {
    for (let i = 0; i < specs.length; i++) {
      const order = compareKeys(a.keys[i], b.keys[i]);
      if (order) return order * specs[i].direction;
    }
    return 0;
  });
  return keyed.map(({ item }, i) => (items[i] = item));
}

function sortKey(doc: Doc, { parts, direction }: { parts: readonly string[]; direction: 1 | -1 }): Key {
  const keys = extractAll(doc, parts, 0, EMPTY).map((value) => (value === EMPTY ? EMPTY_KEY : keyOf(value)));
  return keys.reduce((best, key) => (compareKeys(key, best) * direction < 0 ? key : best));
}
