/**
 * What a request looks like on the wire, from the contracts' own description: enough to count what decoding would make,
 * without decoding.
 */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { contractFiles } from './descriptors.js';

/** A field's payload where it holds more than one value: a message, packed varints, or packed numbers of so many bytes. */
export type WireField = WireShape | 'varints' | 4 | 8;

/** The fields of a message that hold others, by their numbers. */
export interface WireShape {
  field(number: number): WireField | undefined;
}

const shapes = new Map<DescMessage, WireShape>();

/** The shape of what a method is asked with, by its path, "/driftloop.v1.Registry/Apply"; undefined where it is not known. */
export function requestShape(path: string): WireShape | undefined {
  const [, service, name] = path.split('/');
  const method = contractFiles()
    .getService(service)
    ?.methods.find((one) => one.name === name);
  return method && shapeOf(method.input);
}

function shapeOf(message: DescMessage): WireShape {
  const known = shapes.get(message);
  if (known) return known;
  const fields = new Map<number, WireField>();
  const shape: WireShape = { field: (number) => fields.get(number) };
  // Before its fields are looked at: a message may hold itself.
  shapes.set(message, shape);
  for (const field of message.fields) {
    const found = fieldOf(field);
    if (found !== undefined) fields.set(field.number, found);
  }
  return shape;
}

function fieldOf(field: DescField): WireField | undefined {
  if (field.fieldKind === 'map') {
    const value = field.mapKind === 'message' ? shapeOf(field.message) : undefined;
    return { field: (number) => (number === 2 ? value : undefined) };
  }
  if (field.fieldKind === 'list' && field.listKind !== 'message')
    return packedAs(field.listKind === 'enum' ? ScalarType.INT32 : field.scalar);
  return field.message && shapeOf(field.message);
}

function packedAs(scalar: ScalarType): WireField | undefined {
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return undefined;
  if (scalar === ScalarType.DOUBLE || scalar === ScalarType.FIXED64 || scalar === ScalarType.SFIXED64) return 8;
  if (scalar === ScalarType.FLOAT || scalar === ScalarType.FIXED32 || scalar === ScalarType.SFIXED32) return 4;
  return 'varints';
}
