/**
 * A message as a tree of fields, each with its descriptor where it has one: what a mutation takes hold of. Unlike a decoded
 * message it can say anything that the wire can: a field twice, of a wrong type, of a number that nobody knows.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export interface Field {
  desc: DescField | undefined;
  number: number;
  wire: WireType;
  /** A varint, the bytes of a fixed or delimited value, or a message. */
  value: bigint | Uint8Array | Message;
}

export type Message = Field[];

/** A message's bytes as a tree. Throws where they are no message. */
export function parsed(desc: DescMessage, bytes: Uint8Array): Message {
  const reader = new BinaryReader(bytes);
  const message: Message = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = desc.fields.find((one) => one.number === number);
    message.push({ desc: field, number, wire, value: valueRead(reader, wire, messageOf(field)) });
  }
  return message;
}

function valueRead(reader: BinaryReader, wire: WireType, desc: DescMessage | undefined): Field['value'] {
  if (wire === WireType.Varint) return BigInt(reader.uint64());
  if (wire === WireType.LengthDelimited) {
    const bytes = reader.bytes();
    return desc ? parsed(desc, bytes) : bytes;
  }
  const length = wire === WireType.Bit64 ? 8 : 4;
  const bytes = Uint8Array.from({ length }, () => 0);
  const view = new DataView(bytes.buffer);
  if (length === 8) view.setBigUint64(0, BigInt(reader.fixed64()), true);
  else view.setUint32(0, reader.fixed32(), true);
  return bytes;
}

/** The tree's bytes. */
export function encoded(message: Message): Uint8Array {
  const writer = new BinaryWriter();
  write(writer, message);
  return writer.finish();
}

function write(writer: BinaryWriter, message: Message): void {
  for (const { number, wire, value } of message) {
    writer.tag(number, wire);
    if (Array.isArray(value)) {
      if (wire === WireType.StartGroup) {
        write(writer, value);
        writer.tag(number, WireType.EndGroup);
      } else {
        writer.fork();
        write(writer, value);
        writer.join();
      }
    } else if (typeof value === 'bigint') writer.uint64(BigInt.asUintN(64, value));
    else if (wire === WireType.LengthDelimited) writer.bytes(value);
    else writer.raw(value);
  }
}

/** The message that a field holds; of a map its entry is none: it is looked at as bytes of its own (entryOf). */
export function messageOf(field: DescField | undefined): DescMessage | undefined {
  if (!field) return undefined;
  if (field.fieldKind === 'message') return field.message;
  if (field.fieldKind === 'list' && field.listKind === 'message') return field.message;
  return field.fieldKind === 'map' ? entryOf(field) : undefined;
}

/** A map's entry as the message that it is on the wire. */
function entryOf(field: DescField & { fieldKind: 'map' }): DescMessage {
  const common = { kind: 'field', parent: undefined, oneof: undefined, repeated: false };
  const key = { ...common, number: 1, name: 'key', localName: 'key', fieldKind: 'scalar', scalar: field.mapKey };
  const held =
    field.mapKind === 'message'
      ? { fieldKind: 'message', message: field.message }
      : field.mapKind === 'enum'
        ? { fieldKind: 'enum', enum: field.enum }
        : { fieldKind: 'scalar', scalar: field.scalar };
  const value = { ...common, number: 2, name: 'value', localName: 'value', ...held };
  return { typeName: `${field.parent.typeName}.${field.name}`, fields: [key, value] } as unknown as DescMessage;
}

/** The scalar of a field, of a list's element too. */
export const scalarOf = (field: DescField): ScalarType | undefined =>
  field.fieldKind === 'scalar' || (field.fieldKind === 'list' && field.listKind === 'scalar')
    ? field.scalar
    : undefined;

const eight = new Set([ScalarType.DOUBLE, ScalarType.FIXED64, ScalarType.SFIXED64]);
const four = new Set([ScalarType.FLOAT, ScalarType.FIXED32, ScalarType.SFIXED32]);

/** How a field's single value goes over the wire. */
export function wireOf(field: DescField): WireType {
  const scalar = scalarOf(field);
  if (scalar === undefined) {
    const isEnum = field.fieldKind === 'enum' || (field.fieldKind === 'list' && field.listKind === 'enum');
    return isEnum ? WireType.Varint : WireType.LengthDelimited;
  }
  if (eight.has(scalar)) return WireType.Bit64;
  if (four.has(scalar)) return WireType.Bit32;
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES ? WireType.LengthDelimited : WireType.Varint;
}
