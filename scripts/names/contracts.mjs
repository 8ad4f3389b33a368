/** What crosses a wall: the event map, the messages and calls of the protos, the ledger's order, metrics. */
import { create, createFileRegistry, fromBinary, ScalarType } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** Each topic with what its records are keyed by, partitions, retention, who speaks and who hears. */
export function topicsOf(events) {
  // A payload that gives each field's name as its value shows what a key is made of.
  const named = new Proxy({}, { get: (_, field) => `<${String(field)}>` });
  return Object.values(events).map(
    ({ topic, key, partitions, keep, from, to }) =>
      `${topic}: key ${key(named)}, partitions ${partitions}, keep ${keep}, from ${from}, to ${[...to].sort().join(' ')}`,
  );
}

/** The fields of every message and the values of every enum, by number and JSON name; every call. */
export function messagesOf(files) {
  const file = files.map((one) => fromBinary(FileDescriptorProtoSchema, Buffer.from(one, 'base64')));
  const described = [...createFileRegistry(create(FileDescriptorSetSchema, { file }))];
  return described.flatMap((desc) => {
    if (desc.kind === 'message')
      return desc.fields.map((field) => `${desc.typeName}.${field.jsonName} = ${field.number}: ${typeOf(field)}`);
    if (desc.kind === 'enum') return desc.values.map(({ name, number }) => `${desc.typeName}.${name} = ${number}`);
    if (desc.kind === 'service') return desc.methods.map((method) => callOf(desc.typeName, method));
    return [];
  });
}

function typeOf({ fieldKind, listKind, mapKind, scalar, message, enum: values, oneof, mapKey, proto }) {
  const kind = listKind ?? mapKind ?? fieldKind;
  const one = kind === 'scalar' ? ScalarType[scalar].toLowerCase() : (message ?? values).typeName;
  if (fieldKind === 'map') return `map<${ScalarType[mapKey].toLowerCase()}, ${one}>`;
  const within = oneof ? `, one of ${oneof.name}` : proto.proto3Optional ? ', optional' : '';
  return `${fieldKind === 'list' ? 'repeated ' : ''}${one}${within}`;
}

function callOf(service, { name, input, output, methodKind }) {
  const asks = /client|bidi/.test(methodKind) ? 'stream ' : '';
  const answers = /server|bidi/.test(methodKind) ? 'stream ' : '';
  return `${service}/${name}: ${asks}${input.typeName} → ${answers}${output.typeName}`;
}

/** The kinds of decision that have a place at one instant, in the ledger's order: one line. */
export function orderOf(kinds, compareDecisions) {
  const at = (kind, outcome = '') => ({ kind, outcome, id: '', eventTime: new Date(0) });
  const all = [...[...new Set(kinds)].sort().map((kind) => at(kind)), at('alias', 'promoted')];
  const placed = all.filter((one) => compareDecisions(one, at('')) < 0).sort(compareDecisions);
  return [placed.map(({ kind, outcome }) => [kind, outcome].filter(Boolean).join(' ')).join(', ')];
}

/** Each metric with its kind, unit and labels. */
export function metricsOf(catalogue) {
  return Object.entries(catalogue).map(
    ([name, { kind, unit, labels, buckets }]) =>
      `${name}: ${kind}, ${unit}, labels ${[...labels].sort().join(' ') || 'none'}${buckets ? `, buckets ${buckets.join(' ')}` : ''}`,
  );
}
