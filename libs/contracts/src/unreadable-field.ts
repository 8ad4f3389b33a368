/**
 * Which field of a message holds what we cannot keep, by its path as it is written in proto/: for an error that names it.
 * Slow, and only asked where `MessageReader` has found something.
 */
import { isUtf8 } from 'node:buffer';
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { contractFiles } from './descriptors.js';
import { isSafe } from './message-reader.js';

/** A field, and what is wrong with it. */
export interface UnreadableField {
  readonly field: string;
  readonly problem: string;
}

/** What is judged row by row by whoever reads it, so that the other rows stand. */
const judgedByReader: ReadonlySet<string> = new Set([
  'driftloop.v1.SourceRow',
  'driftloop.v1.Outcome',
  'driftloop.v1.FeatureQuestion',
]);

const most = Number.MAX_SAFE_INTEGER;

/** The first such field of a method's request that is in no row; undefined where there is none. */
export function unreadableField(path: string, bytes: Uint8Array): UnreadableField | undefined {
  const [, service, name] = path.split('/');
  const method = contractFiles()
    .getService(service)
    ?.methods.find((one) => one.name === name);
  return method && inMessage(method.input, bytes, '');
}

function inMessage({ fields }: DescMessage, bytes: Uint8Array, prefix: string): UnreadableField | undefined {
  const reader = new BinaryReader(bytes);
  const seen = new Map<number, number>();
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = fields.find((one) => one.number === number);
    if (!field) {
      reader.skip(wire, number);
      continue;
    }
    const index = seen.get(number) ?? 0;
    seen.set(number, index + 1);
    const place = field.fieldKind === 'list' ? `${field.name}[${index}]` : field.name;
    const found = inField(field, reader, wire, prefix + place);
    if (found) return found;
  }
  return undefined;
}

/** What a message calls itself, such as a tensor. */
function nameOf({ fields }: DescMessage, bytes: Uint8Array): string {
  const named = fields.find(({ name }) => name === 'name');
  const reader = new BinaryReader(bytes);
  while (named && reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === named.number && wire === WireType.LengthDelimited) return ` ("${reader.string().slice(0, 100)}")`;
    reader.skip(wire, number);
  }
  return '';
}

function inField(field: DescField, reader: BinaryReader, wire: WireType, path: string): UnreadableField | undefined {
  if (field.fieldKind === 'map') return inEntry(field, reader, path);
  if (field.message) {
    const bytes = reader.bytes();
    if (judgedByReader.has(field.message.typeName)) return undefined;
    return inMessage(field.message, bytes, `${path}${nameOf(field.message, bytes)}.`);
  }
  const scalar = scalarOf(field);
  if (scalar === ScalarType.INT64 || scalar === ScalarType.UINT64) return inNumbers(scalar, reader, wire, path);
  if (scalar === ScalarType.STRING) return faultOfText(reader.bytes(), path);
  reader.skip(wire, field.number);
  return undefined;
}

const scalarOf = (field: DescField) => ('scalar' in field ? field.scalar : undefined);

/** An entry's key comes before its value, as everybody writes it. */
function inEntry(field: DescField & { fieldKind: 'map' }, reader: BinaryReader, path: string) {
  const entry = new BinaryReader(reader.bytes());
  let key = '';
  while (entry.pos < entry.len) {
    const [number, wire] = entry.tag();
    let found: UnreadableField | undefined;
    if (number === 1 && field.mapKey === ScalarType.STRING) {
      const text = entry.bytes();
      found = faultOfText(text, `a key of ${path}`);
      key = Buffer.from(text).toString().slice(0, 100);
    } else if (number === 2 && field.mapKind === 'message')
      found = inMessage(field.message, entry.bytes(), `${path}["${key}"].`);
    else if (number === 2 && field.scalar === ScalarType.STRING)
      found = faultOfText(entry.bytes(), `${path}["${key}"]`);
    else entry.skip(wire, number);
    if (found) return found;
  }
  return undefined;
}

function inNumbers(scalar: ScalarType, reader: BinaryReader, wire: WireType, path: string) {
  const packed = wire === WireType.LengthDelimited;
  const end = packed ? reader.uint32() + reader.pos : reader.pos + 1;
  const place = packed ? path.replace(/\[\d+\]$/, '') : path;
  for (let index = 0; reader.pos < end; index++) {
    const value = scalar === ScalarType.UINT64 ? reader.uint64() : reader.int64();
    if (isSafe(value)) continue;
    const problem = `is ${value}; send a whole number from -${most} to ${most}`;
    return { field: packed ? `${place}[${index}]` : place, problem };
  }
  return undefined;
}

function faultOfText(text: Uint8Array, field: string): UnreadableField | undefined {
  return isUtf8(text) ? undefined : { field, problem: 'is no UTF-8; send text in UTF-8' };
}
