/** One change to one place of a message: a value at its type's edge, a field too few or too many, a type that is not its own. */
import { ScalarType } from '@bufbuild/protobuf';
import { WireType } from '@bufbuild/protobuf/wire';
import type { Random } from '@driftloop/algorithms';
import { ieee } from './generate.js';
import * as hostile from './hostile.js';
import { type Field, type Message, scalarOf } from './message.js';

/** What was changed: the path of the field by names, and how. */
export interface Change {
  readonly field: string;
  readonly mutation: string;
}

interface Place {
  readonly path: string;
  readonly within: Message;
  readonly at: number;
}

/** How often a field is repeated, at most: once in fifty far more, as who floods would. */
const copies = (random: Random): number => hostile.sizeUpTo(random, random.integer(50) === 0 ? 20_000 : 300);

/** Changes one place of a message, drawn evenly from all of its places. */
export function mutate(message: Message, random: Random): Change {
  const places = [...placesIn(message)];
  if (!places.length) return { field: '', mutation: strange(message, random) };
  const { path, within, at } = hostile.oneOf(random, places);
  return { field: path, mutation: change(within, at, random) };
}

function* placesIn(message: Message, path = ''): Generator<Place> {
  for (const [at, { desc, number, value }] of message.entries()) {
    const own = `${path}${path && '.'}${desc?.name ?? number}`;
    yield { path: own, within: message, at };
    if (Array.isArray(value)) yield* placesIn(value, own);
  }
}

function change(within: Message, at: number, random: Random): string {
  // A value first: structure is the same in every message, values are where they differ.
  if (random.integer(10) < 6) return revalue(within[at], random);
  switch (random.integer(6)) {
    case 0:
      within.splice(at, 1);
      return 'left out';
    case 1: {
      const count = copies(random);
      within.splice(at, 0, ...Array.from({ length: count }, () => within[at]));
      return `${count > 1000 ? 'over a thousand' : 'some'} more`;
    }
    case 2:
      return retype(within[at], random);
    case 3:
      within[at] = { ...within[at], number: hostile.oneOf(random, [1, 2, 3, 7, 100, 19_000, 536_870_911]) };
      return 'under another number';
    case 4:
      return strange(within, random);
    default: {
      const other = random.integer(within.length);
      within.push(structuredCloneOf(within[other]));
      return 'one field again at the end';
    }
  }
}

const structuredCloneOf = (field: Field): Field => ({ ...field });

/** A field that the message does not have. */
function strange(message: Message, random: Random): string {
  const number = hostile.oneOf(random, [15, 16, 999, 536_870_911]);
  message.push({ desc: undefined, number, wire: WireType.LengthDelimited, value: hostile.bytes(random) });
  return 'an unknown field';
}

/** A wire type that is not the field's. */
function retype(field: Field, random: Random): string {
  const kinds: [string, WireType, Field['value']][] = [
    ['a varint', WireType.Varint, hostile.integer(random)],
    ['64 bits', WireType.Bit64, hostile.noise(random, 8)],
    ['32 bits', WireType.Bit32, hostile.noise(random, 4)],
    ['bytes', WireType.LengthDelimited, hostile.bytes(random)],
    ['a group', WireType.StartGroup, []],
  ];
  const [name, wire, value] = hostile.oneOf(random, kinds);
  Object.assign(field, { wire, value });
  return `as ${name}`;
}

/** Another value of the field's own type. */
function revalue(field: Field, random: Random): string {
  const { desc, value, wire } = field;
  const scalar = desc && scalarOf(desc);
  if (Array.isArray(value)) return remessage(field, value, random);
  if (wire === WireType.Varint) field.value = edgeOfVarint(field, random);
  else if (wire === WireType.Bit64)
    field.value = scalar === ScalarType.DOUBLE ? ieee(8, hostile.double(random)) : hostile.noise(random, 8);
  else if (wire === WireType.Bit32)
    field.value = scalar === ScalarType.FLOAT ? ieee(4, hostile.double(random)) : hostile.noise(random, 4);
  else field.value = scalar === ScalarType.STRING ? Buffer.from(hostile.text(random)) : hostile.bytes(random);
  return 'a value at the edge';
}

function edgeOfVarint({ desc }: Field, random: Random): bigint {
  const isTime = desc?.parent?.typeName === 'google.protobuf.Timestamp' && desc.name === 'seconds';
  return isTime ? hostile.second(random) : hostile.integer(random);
}

function remessage(field: Field, message: Message, random: Random): string {
  switch (random.integer(4)) {
    case 0:
      field.value = [];
      return 'empty';
    case 1: {
      const times = hostile.sizeUpTo(random, 200);
      field.value = Array.from({ length: times }, () => message).flat();
      return 'everything in it again';
    }
    case 2: {
      const depth = hostile.sizeUpTo(random, 500);
      for (let i = 0; i < depth; i++) field.value = [{ ...field, value: field.value }];
      return 'in itself';
    }
    default:
      Object.assign(field, { value: hostile.bytes(random) });
      return 'bytes that are no message';
  }
}
