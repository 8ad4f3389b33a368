/**
 * Fields of JSON from outside that their message does not have: a slip in a name, or a newer sender. They are ignored, as
 * proto3 JSON has it between versions; who wrote them is to hear of it.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';

type Json = Record<string, unknown>;

/** So many names are told; what a sender misspells, it misspells in each row. */
const most = 20;

/** The paths of such fields, each once ("rows[].eventTme"), twenty at most. */
export function unknownFields(message: DescMessage, json: unknown): string[] {
  const found = new Set<string>();
  look(message, json, '', found);
  return [...found];
}

function look(message: DescMessage, json: unknown, path: string, found: Set<string>): void {
  // Times and the like are texts in JSON: their own reader says what is wrong with them.
  if (message.typeName.startsWith('google.protobuf.') || typeof json !== 'object' || json === null) return;
  for (const [key, value] of Object.entries(json as Json)) {
    if (found.size >= most) return;
    const own = `${path}${path && '.'}${key.slice(0, 100)}`;
    const field = message.fields.find(({ name, jsonName }) => name === key || jsonName === key);
    if (field) lookInto(field, value, own, found);
    else found.add(own);
  }
}

function lookInto(field: DescField, value: unknown, path: string, found: Set<string>): void {
  const { message } = field;
  if (!message) return;
  if (field.fieldKind === 'message') look(message, value, path, found);
  else if (field.fieldKind === 'list' && Array.isArray(value))
    for (const one of value) look(message, one, `${path}[]`, found);
  else if (field.fieldKind === 'map' && typeof value === 'object' && value !== null)
    for (const one of Object.values(value)) look(message, one, `${path}{}`, found);
}
