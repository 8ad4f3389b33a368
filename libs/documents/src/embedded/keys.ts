/**
 * Values as SQLite keys, such that SQLite's order of keys is BSON's order of values.
 *
 * I1  null and missing < numbers < strings < objects < arrays < bytes < ObjectId < boolean < date: the first is -∞, numbers
 *     are REAL, strings TEXT, and the rest BLOB with a leading type byte; that is also SQLite's order of storage classes.
 * I2  null is -∞, NaN the least finite number and -∞ the next: their order is BSON's, and NaN is outside every range.
 * I3  The keys of objects, and of arrays within arrays, tell equality alone: their order is that of their text.
 */
import mongoose from 'mongoose';
import { type Doc, encode, type Value } from './codec.js';
import { isRecord } from './filter.js';

export type Key = number | string | Uint8Array;

const { ObjectId } = mongoose.Types;
const { Binary } = mongoose.mongo;

/** The key of null and of a missing field. */
export const NULL_KEY = Number.NEGATIVE_INFINITY;
const NAN_KEY = -Number.MAX_VALUE;
const MINUS_INFINITY_KEY = -1.7976931348623155e308;

const OBJECT = 3;
const ARRAY = 4;
const BYTES = 5;
const OID = 7;
const BOOLEAN = 8;
const DATE = 9;
const REGEX = 11;

const FALSE = Uint8Array.of(BOOLEAN, 0);
const TRUE = Uint8Array.of(BOOLEAN, 1);

/** The key of one plain value. */
export function keyOf(value: Value): Key {
  if (typeof value === 'string') return value;
  if (typeof value === 'number')
    return value >= MINUS_INFINITY_KEY ? value : Number.isNaN(value) ? NAN_KEY : MINUS_INFINITY_KEY;
  if (value === null || value === undefined) return NULL_KEY;
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  return objectKey(value as object);
}

function objectKey(value: object): Key {
  if (value instanceof ObjectId) return bytes(OID, value.id);
  if (value instanceof Date) return dateKey(value.getTime());
  if (value instanceof Binary) return binaryKey(value);
  if (value instanceof RegExp) return bytes(REGEX, Buffer.from(String(value)));
  return bytes(Array.isArray(value) ? ARRAY : OBJECT, Buffer.from(encode(value)));
}

function bytes(tag: number, rest: Uint8Array): Uint8Array {
  const key = new Uint8Array(rest.length + 1);
  key[0] = tag;
  key.set(rest, 1);
  return key;
}

/** Shorter ones come first, then those of a lesser subtype. */
function binaryKey(value: InstanceType<typeof Binary>): Uint8Array {
  const key = new Uint8Array(6 + value.position);
  key[0] = BYTES;
  writeUint32(key, 1, value.position);
  key[5] = value.sub_type;
  key.set(value.buffer.subarray(0, value.position), 6);
  return key;
}

/** The time as a 64-bit integer with its sign bit turned, most significant byte first; an invalid date comes first. */
function dateKey(time: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = DATE;
  if (Number.isNaN(time)) return key;
  const high = Math.floor(time / 2 ** 32);
  writeUint32(key, 1, high + 2 ** 31);
  writeUint32(key, 5, time - high * 2 ** 32);
  return key;
}

function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Whether a key is an object's: the one kind whose order is not its value's (I3). */
export function isObjectKey(key: Key): boolean {
  return typeof key === 'object' && key[0] === OBJECT;
}

/** The half-open range of keys [from, to) of all values of the same type as `value`: comparisons stay within a type. */
export function typeRange(value: Value): readonly [Key, Key] {
  if (typeof value === 'number') return [MINUS_INFINITY_KEY, ''];
  if (typeof value === 'string') return ['', new Uint8Array(0)];
  const tag = (keyOf(value) as Uint8Array)[0];
  return [Uint8Array.of(tag), Uint8Array.of(tag + 1)];
}

/** Whether equality or a range on this value is exactly equality or a range on its key. */
export function isExact(value: Value): boolean {
  if (typeof value === 'number') return value > MINUS_INFINITY_KEY;
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  return value instanceof Date || value instanceof ObjectId;
}

/** A dotted path, split once. */
export interface Path {
  readonly text: string;
  readonly parts: readonly string[];
}

export function pathOf(text: string): Path {
  return { text, parts: text.split('.') };
}

const isIndex = (part: string): boolean => /^\d+$/.test(part);

/** What `extract` returns where an array on the way makes a field several values. */
export const MULTI: unique symbol = Symbol('multi');

/** The value at a path of a plain document: undefined when missing, MULTI when arrays make it several. */
export function extract(doc: Doc, path: Path): Value | typeof MULTI {
  let value: Value = doc;
  for (const part of path.parts) {
    if (Array.isArray(value)) {
      if (!isIndex(part)) return MULTI;
    } else if (!isRecord(value)) return undefined;
    value = (value as Doc)[part];
  }
  return Array.isArray(value) ? MULTI : value;
}

/** Every value that a multikey index holds for a path: array elements one by one, `empty` for an empty array. */
export function extractAll(value: Value, parts: readonly string[], from = 0, empty: Value = null): Value[] {
  if (from === parts.length) {
    if (!Array.isArray(value)) return [value];
    return value.length ? value : [empty];
  }
  if (Array.isArray(value) && !isIndex(parts[from])) {
    // an element that is no object, be it an array, has nothing below: it counts as null
    return value.length
      ? value.flatMap((item) => (isRecord(item) ? extractAll(item, parts, from, empty) : [null]))
      : [null];
  }
  if (!isRecord(value) && !Array.isArray(value)) return [undefined];
  return extractAll((value as Doc)[parts[from]], parts, from + 1, empty);
}

/** Where a path meets its first array; undefined where it meets none. */
export function arrayOn(doc: Doc, parts: readonly string[]): string | undefined {
  let value: Value = doc;
  for (const [i, part] of parts.entries()) {
    if (!isRecord(value)) return undefined;
    value = value[part];
    if (Array.isArray(value)) return parts.slice(0, i + 1).join('.');
  }
  return undefined;
}
