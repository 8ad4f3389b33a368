/**
 * Messages that a caller might well send: each field filled by what its name asks for where the small world knows such a
 * thing (a model, a version, an entity), else by a plain value of its type. A new RPC is filled the same way.
 */
import type { DescEnum, DescField, DescMessage } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { Random } from '@driftloop/algorithms';
import { oneOf } from './hostile.js';
import { encoded, type Field, type Message, messageOf, scalarOf, wireOf } from './message.js';

/** What a field's name asks for: texts that the small world knows, or how such a text is made. */
export type Words = Readonly<Record<string, readonly string[] | ((random: Random) => string)>>;

export interface Filling {
  readonly random: Random;
  readonly words: Words;
}

const deepest = 5;
const timeName = 'google.protobuf.Timestamp';
/** The small world's days, s. */
const [firstSecond, days] = [Date.UTC(2024, 0, 1) / 1000, 10];

/** A message of a type. */
export function filled(desc: DescMessage, filling: Filling, depth = 0): Message {
  if (desc.typeName === timeName) return timestamp(desc, filling.random);
  const { random } = filling;
  const chosen = new Map(desc.oneofs?.map((oneof) => [oneof, oneOf(random, oneof.fields)]));
  return desc.fields.flatMap((field): Field[] => {
    if (field.oneof && chosen.get(field.oneof) !== field) return [];
    if (random.integer(8) === 0) return [];
    const count = field.fieldKind === 'list' || field.fieldKind === 'map' ? 1 + random.integer(3) : 1;
    return Array.from({ length: count }, () => ({
      desc: field,
      number: field.number,
      wire: wireOf(field),
      value: value(field, filling, depth),
    }));
  });
}

function timestamp(desc: DescMessage, random: Random): Message {
  const [field] = desc.fields;
  const second = firstSecond + random.integer(days * 86_400);
  return [{ desc: field, number: 1, wire: WireType.Varint, value: BigInt(second) }];
}

function value(field: DescField, filling: Filling, depth: number): Field['value'] {
  const message = messageOf(field);
  if (message) return depth < deepest ? filled(message, filling, depth + 1) : [];
  const scalar = scalarOf(field);
  return scalar === undefined ? enumValue(field, filling.random) : scalarValue(field.name, scalar, filling);
}

function enumValue(field: DescField, random: Random): bigint {
  const { values } = (field as { enum: DescEnum }).enum;
  return BigInt(oneOf(random, values).number);
}

function scalarValue(name: string, scalar: ScalarType, { random, words }: Filling): Field['value'] {
  switch (scalar) {
    case ScalarType.STRING:
      return Buffer.from(word(name, random, words));
    case ScalarType.BYTES:
      return Buffer.from(oneOf(random, ['d1', '2', '2024-01-10T12:00:00Z', '']));
    case ScalarType.BOOL:
      return BigInt(random.integer(2));
    case ScalarType.DOUBLE:
      return ieee(8, random.uniform() * 10);
    case ScalarType.FLOAT:
      return ieee(4, random.uniform() * 10);
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return new Uint8Array(8);
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return new Uint8Array(4);
    default:
      return BigInt(random.integer(20));
  }
}

/** What a text field's name asks for. */
export function word(name: string, random: Random, words: Words): string {
  const known = words[name];
  if (typeof known === 'function') return known(random);
  return known?.length ? oneOf(random, known) : `plain ${random.integer(100)}`;
}

export function ieee(length: 4 | 8, number: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  if (length === 8) bytes.writeDoubleLE(number);
  else bytes.writeFloatLE(number);
  return bytes;
}

/** Bytes of a message that a caller might well send. */
export const filledBytes = (desc: DescMessage, filling: Filling): Uint8Array => encoded(filled(desc, filling));
