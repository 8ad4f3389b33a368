/**
 * Documents as text: BSON-shaped values to JSON and back.
 *
 * Numbers, strings, booleans, null, arrays and plain objects are themselves; the rest is a one-key object whose key
 * starts with `$`. What mongod's driver would do to a value on its way in is done here too: undefined becomes null, a
 * Map becomes an object, bytes become Binary, `toBSON` is honoured.
 */
import { types } from 'node:util';
import mongoose from 'mongoose';
import { unsupported } from './errors.js';

/** A document or a value in BSON's shape: what `plain` returns and `decode` reads. */
export type Value = unknown;
export type Doc = Record<string, unknown>;

const { ObjectId } = mongoose.Types;
const { Binary } = mongoose.mongo;

const DOLLAR = 36;

/**
 * The BSON shape of a value: itself (not a copy) where nothing in it needs converting.
 * Throws UNSUPPORTED for types that are not stored here (Decimal128, Timestamp, functions, symbols).
 */
export function plain(value: Value): Value {
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'bigint':
      return safeInteger(value);
    case 'object':
      return value === null ? null : plainObject(value);
    default:
      throw unsupported(`a value of type ${typeof value}`);
  }
}

function safeInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw unsupported('an integer beyond 2^53');
  return number;
}

function plainObject(value: object): Value {
  if (Array.isArray(value)) return plainArray(value);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return plainRecord(value as Doc);
  if (value instanceof Date || value instanceof ObjectId || value instanceof RegExp) return value;
  if (value instanceof Binary) return value;
  return plainClass(value);
}

/** Instances of classes, and of other realms: BSON's own by name, others by `toBSON` or their own fields. */
function plainClass(value: object): Value {
  if (types.isDate(value)) return new Date(value.getTime());
  if (types.isRegExp(value)) return new RegExp(value.source, value.flags);
  if (types.isMap(value)) return plainRecord(Object.fromEntries(value));
  if (types.isUint8Array(value)) return new Binary(Buffer.from(value));
  const { _bsontype: type, toBSON } = value as { _bsontype?: string; toBSON?: () => Value };
  if (type === 'ObjectId' || type === 'ObjectID') return new ObjectId(String(value));
  if (type === 'Long') return safeInteger((value as unknown as { toBigInt(): bigint }).toBigInt());
  if (type === 'Int32' || type === 'Double') return Number(value);
  if (type) throw unsupported(`BSON type ${type}`);
  if (typeof toBSON === 'function') return plain(toBSON.call(value));
  return plainRecord({ ...(value as Doc) });
}

/** Mongoose arrays are proxies: they are copied, so that later walks are fast and nobody shares them. */
function plainArray(value: readonly Value[]): Value[] {
  const fresh = (value as { isMongooseArray?: boolean }).isMongooseArray;
  let copy: Value[] | undefined = fresh ? [...value] : undefined;
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    const type = typeof item;
    if (type === 'number' || type === 'string') continue;
    const converted = plain(item);
    if (converted !== item) {
      copy ??= value.slice();
      copy[i] = converted;
    }
  }
  return copy ?? (value as Value[]);
}

function plainRecord(value: Doc): Doc {
  let copy: Doc | undefined;
  for (const key of Object.keys(value)) {
    const item = value[key];
    const type = typeof item;
    if (type === 'number' || type === 'string') continue;
    const converted = plain(item);
    if (converted !== item) {
      copy ??= { ...value };
      copy[key] = converted;
    }
  }
  return copy ?? value;
}

/** The text of a plain document. */
export function encode(value: Value): string {
  return JSON.stringify(tagged(value));
}

function tagged(value: Value): Value {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return taggedArray(value);
  if (value instanceof Date) return { $date: Number.isNaN(value.getTime()) ? null : value.getTime() };
  if (value instanceof ObjectId) return { $oid: value.toHexString() };
  if (value instanceof Binary) return { $binary: [value.toString('base64'), value.sub_type] };
  if (value instanceof RegExp) return { $regex: [value.source, value.flags] };
  return taggedRecord(value as Doc);
}

function taggedArray(value: Value[]): Value[] {
  let copy: Value[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const converted = tagged(value[i]);
    if (converted !== value[i]) {
      copy ??= value.slice();
      copy[i] = converted;
    }
  }
  return copy ?? value;
}

function taggedRecord(value: Doc): Doc {
  let copy: Doc | undefined;
  let first = true;
  let escaped = false;
  for (const key of Object.keys(value)) {
    if (first) {
      escaped = key.charCodeAt(0) === DOLLAR;
      first = false;
    }
    const item = value[key];
    const converted = tagged(item);
    if (converted !== item) {
      copy ??= { ...value };
      copy[key] = converted;
    }
  }
  return escaped ? { $: copy ?? value } : (copy ?? value);
}

/** The document of a text that `encode` wrote: fresh objects, the caller's to change. */
export function decode(text: string): Doc {
  const value = JSON.parse(text) as Doc;
  return text.includes('{"$') ? (revive(value) as Doc) : value;
}

function revive(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (typeof value[i] === 'object') value[i] = revive(value[i]);
    return value;
  }
  const record = value as Doc;
  for (const key in record) {
    if (key.charCodeAt(0) === DOLLAR) return reviveTagged(key, record[key]);
    if (typeof record[key] === 'object') record[key] = revive(record[key]);
  }
  return record;
}

function reviveTagged(tag: string, value: Value): Value {
  switch (tag) {
    case '$date':
      return new Date(value === null ? Number.NaN : (value as number));
    case '$oid':
      return new ObjectId(value as string);
    case '$number':
      return Number(value);
    case '$binary': {
      const [base64, subtype] = value as [string, number];
      return new Binary(Buffer.from(base64, 'base64'), subtype);
    }
    case '$regex':
      return new RegExp((value as string[])[0], (value as string[])[1]);
    default: {
      const record = value as Doc;
      for (const key of Object.keys(record)) record[key] = revive(record[key]);
      return record;
    }
  }
}

/** A deep copy of a plain value. */
export function copyOf<T>(value: T): T {
  return typeof value === 'object' && value !== null ? (decodeCopy(value) as T) : value;
}

function decodeCopy(value: object): Value {
  return revive(JSON.parse(encode(value)));
}
