/**
 * JSON Schema (draft 7) of messages in proto3 JSON, from their descriptors.
 *
 * Nothing is required and nothing else is forbidden: a field that is absent has its default, and fields that a reader does
 * not know are ignored. Whole numbers of 64 bits may be numbers or digits in a string; an enum may get further values.
 */
import type { DescEnum, DescField, DescMessage, DescOneof } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { type Comments, commentOf } from './comments.js';

export type Schema = Record<string, unknown>;

/** The schemas of some messages and of all that they refer to, by their names, sorted. */
export function schemasOf(messages: readonly DescMessage[], comments: Comments): Record<string, Schema> {
  const found = new Map<string, Schema>();
  const visit = (type: DescMessage | DescEnum) => {
    if (found.has(nameOf(type)) || isTimestamp(type)) return;
    found.set(nameOf(type), type.kind === 'enum' ? enumSchema(type, comments) : messageSchema(type, comments));
    for (const field of type.kind === 'message' ? type.fields : []) for (const used of typesOf(field)) visit(used);
  };
  for (const message of messages) visit(message);
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a type is called in the document: its full name without the package. */
export const nameOf = (type: DescMessage | DescEnum): string =>
  type.file.proto.package ? type.typeName.slice(type.file.proto.package.length + 1) : type.typeName;

export const refTo = (type: DescMessage | DescEnum): Schema => ({ $ref: `#/components/schemas/${nameOf(type)}` });

const isTimestamp = (type: DescMessage | DescEnum) => type.typeName === 'google.protobuf.Timestamp';

function typesOf(field: DescField): (DescMessage | DescEnum)[] {
  return [field.message, field.enum].filter((type) => type !== undefined);
}

function messageSchema(message: DescMessage, comments: Comments): Schema {
  const properties = message.fields.map((field) => [field.jsonName, fieldSchema(field, comments)]);
  const choices = message.oneofs.map(choiceOf);
  return {
    type: 'object',
    ...described(commentOf(message, comments)),
    properties: Object.fromEntries(properties),
    ...(choices.length && { allOf: choices }),
  };
}

/** At most one field of a oneof is there. */
function choiceOf({ fields }: DescOneof): Schema {
  const each = fields.map(({ jsonName }) => ({ required: [jsonName] }));
  return { oneOf: [...each, { not: { anyOf: each } }] };
}

function fieldSchema(field: DescField, comments: Comments): Schema {
  const description = described(commentOf(field, comments));
  if (field.fieldKind === 'list') return { type: 'array', ...description, items: valueSchema(field) };
  if (field.fieldKind === 'map') return { type: 'object', ...description, additionalProperties: valueSchema(field) };
  const schema = valueSchema(field);
  // Beside a $ref, draft 7 ignores whatever else is said.
  if (schema.$ref && description.description) return { ...description, allOf: [schema] };
  return { ...schema, ...description, ...(!field.oneof && defaultOf(field)) };
}

/** The schema of one value of a field: an element, where it is a list or a map. */
function valueSchema({ message, enum: enumeration, scalar }: DescField): Schema {
  if (message) return isTimestamp(message) ? { type: 'string', format: 'date-time' } : refTo(message);
  if (enumeration) return refTo(enumeration);
  return scalarSchema(scalar!);
}

function scalarSchema(scalar: ScalarType): Schema {
  switch (scalar) {
    case ScalarType.STRING:
      return { type: 'string' };
    case ScalarType.BYTES:
      return { type: 'string', contentEncoding: 'base64' };
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { anyOf: [{ type: 'number' }, { type: 'string', enum: ['NaN', 'Infinity', '-Infinity'] }] };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 };
    default:
      return { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?[0-9]+$' }] };
  }
}

function defaultOf({ scalar }: DescField): Schema {
  if (scalar === undefined) return {};
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return { default: '' };
  return { default: scalar === ScalarType.BOOL ? false : 0 };
}

/** Open: today's values by name, and whatever else may come with the same prefix. */
function enumSchema(enumeration: DescEnum, comments: Comments): Schema {
  const names = enumeration.values.map(({ name }) => name);
  const prefix = enumeration.sharedPrefix?.toUpperCase() ?? '';
  return {
    type: 'string',
    ...described(commentOf(enumeration, comments)),
    default: names[0],
    anyOf: [{ enum: names }, { pattern: `^${prefix}[A-Z0-9_]+$`, description: 'A value that came later.' }],
  };
}

const described = (description: string): { description?: string } => (description ? { description } : {});
