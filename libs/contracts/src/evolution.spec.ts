/**
 * Schema evolution, both ways: what releases have told is read by today's code without loss, what later releases will tell
 * is read by today's consumers, and what today's code tells is read by consumers of the releases.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { type DescField, type DescMessage, fromJson, type JsonValue, ScalarType, toJson } from '@bufbuild/protobuf';
import { payloadOf } from './asyncapi/document.js';
import { cloudEventHeaders, readCloudEvent } from './cloud-events.js';
import { registryOf } from './descriptors.js';
import { type AnyEvent, eventOfTopic, events } from './events.js';

interface Told {
  id: string;
  type: string;
  subject: string;
  time: string;
  source: string;
  data: Record<string, unknown>;
}

const all: readonly AnyEvent[] = Object.values(events);
const recordings = new URL('../recorded/', import.meta.url);
const releases = readdirSync(new URL('../../../proto/releases/', import.meta.url)).map((file) =>
  file.replace('.binpb', ''),
);
const imageOf = (release: string) =>
  registryOf(readFileSync(new URL(`../../../proto/releases/${release}.binpb`, import.meta.url)));

const recorded = readdirSync(recordings).flatMap((release) =>
  readdirSync(new URL(`${release}/`, recordings)).map((file) => ({
    release,
    topic: file.replace(/\.json$/, ''),
    told: JSON.parse(readFileSync(new URL(`${release}/${file}`, recordings), 'utf8')) as Told[],
  })),
);

/** What a release had no words for: an outsider of 0.1.0 could not say which model's rows they are. */
const unsayable = ['0.1.0 entities.observed'];

/** What today's code makes of a payload. */
const read = ({ payload }: AnyEvent, data: unknown) => payload.toJSON(payload.fromJSON(data));

describe('what a release has told', () => {
  it.each(releases)('%s has events of every topic that it can tell of', (release) => {
    const topics = recorded.filter((one) => one.release === release).map(({ topic }) => topic);
    const contracts = imageOf(release);
    const known = all.filter((event) => contracts.getMessage(payloadOf(event).typeName)).map(({ topic }) => topic);
    const told = known.filter((topic) => !unsayable.includes(`${release} ${topic}`));
    expect(topics.sort()).toEqual(told.sort());
  });

  it.each(recorded)('$release, $topic: is told as that release tells it, without a field of later', (one) => {
    const message = payloadOf(eventOfTopic(one.topic)!, imageOf(one.release));
    for (const { data } of one.told) expect(() => fromJson(message, data as JsonValue)).not.toThrow();
  });

  it.each(recorded)('$release, $topic: is read by today’s code without loss', ({ topic, told }) => {
    for (const { data } of told) expect(read(eventOfTopic(topic)!, data)).toEqual(data);
  });

  it.each(recorded)('$release, $topic: is a record of Kafka and back', ({ topic, told }) => {
    for (const { id, subject: key, time, source, data } of told) {
      const fact = { id, topic, key, time: Date.parse(time), source: source.replace('/driftloop/', '') };
      const record = { key, value: Buffer.from(JSON.stringify(data)), headers: cloudEventHeaders(fact) };
      expect(readCloudEvent(topic, record)).toEqual({ ...fact, data });
    }
  });

  it.each(recorded)('$release, $topic: is read when every message has fields that came later', ({ topic, told }) => {
    const event = eventOfTopic(topic)!;
    for (const { data } of told) expect(read(event, grown(payloadOf(event), data))).toEqual(data);
  });
});

describe('what a later release will tell', () => {
  const whole = all.map((event) => ({ topic: event.topic, event, data: sample(payloadOf(event)) }));

  it.each(whole)('$topic: fields that are not known are ignored in every message', ({ event, data }) => {
    expect(read(event, grown(payloadOf(event), data))).toEqual(data);
  });

  it('an enum value that is not known is read as one, and the rest of the event with it', () => {
    const { payload } = events.rolloutJudged;
    const judged = payload.fromJSON({ version: 'v2', verdict: 'VERDICT_WAIT', stage: 'STAGE_CANARY' });
    expect(judged).toMatchObject({ version: 'v2', verdict: 'UNRECOGNIZED', stage: 'STAGE_CANARY' });
    const { rollout } = events.rolloutChanged.payload.fromJSON({ rollout: { revision: 7, stage: 'STAGE_LATER' } });
    expect(rollout).toMatchObject({ revision: 7, stage: 'UNRECOGNIZED' });
  });

  it('a kind of value that is not known is a missing one', () => {
    const { values } = events.entitiesObserved.payload.fromJSON({ rows: [{ values: { a: { colour: 'red' } } }] })
      .rows[0];
    expect(values.a.kind).toBeUndefined();
  });
});

describe.each(releases)('a consumer of release %s', (release) => {
  const contracts = imageOf(release);
  const today = all
    .filter((event) => contracts.getMessage(payloadOf(event).typeName))
    .map((event) => ({ topic: event.topic, event }));

  it.each(today)('reads $topic with everything that today’s code can tell', ({ event }) => {
    const told = read(event, sample(payloadOf(event))) as JsonValue;
    expect(told).toEqual(sample(payloadOf(event)));
    const old = payloadOf(event, contracts);
    const heard = toJson(old, fromJson(old, told, { ignoreUnknownFields: true }));
    expect(read(event, heard)).toEqual(sample(payloadOf(event), old));
  });

  it.each(today)('is spoken to as it knows it: an enum value of $topic that it lacks is its default', ({ event }) => {
    const old = payloadOf(event, contracts);
    const told = grown(old, sample(old), 'enums') as JsonValue;
    expect(() => fromJson(old, told, { ignoreUnknownFields: true })).not.toThrow();
  });
});

/** A payload with every field set; only with those that `known` has too, where it is given. */
function sample(message: DescMessage, known: DescMessage | undefined = message): Record<string, unknown> {
  const kept = message.fields.filter((field) => known.fields.some(({ number }) => number === field.number));
  const chosen = kept.filter((field) => !field.oneof || field === field.oneof.fields[0]);
  return Object.fromEntries(
    chosen.map((field) => {
      const other = known.fields.find(({ number }) => number === field.number)?.message;
      const value = sampleValue(field, other);
      if (field.fieldKind === 'list') return [field.jsonName, [value]];
      return [field.jsonName, field.fieldKind === 'map' ? { some: value } : value];
    }),
  );
}

function sampleValue(field: DescField, known: DescMessage | undefined): unknown {
  if (field.message?.typeName === 'google.protobuf.Timestamp') return '2013-02-15T12:00:00.000Z';
  if (field.message) return sample(field.message, known);
  if (field.enum) return field.enum.values.at(-1)!.name;
  if (field.scalar === ScalarType.STRING) return `some ${field.name}`;
  if (field.scalar === ScalarType.BOOL) return true;
  return field.scalar === ScalarType.DOUBLE ? field.number + 0.5 : field.number;
}

/** The same payload as a later release might tell it: more fields in each message, or other values of enums. */
function grown(message: DescMessage, data: unknown, what: 'fields' | 'enums' = 'fields'): unknown {
  if (message.typeName === 'google.protobuf.Timestamp') return data;
  const inner = (field: DescField, value: unknown): unknown => {
    if (field.message) return grown(field.message, value, what);
    return field.enum && what === 'enums' ? 'CAME_LATER' : value;
  };
  const all = Object.entries(data as object).map(([name, value]) => {
    const field = message.fields.find(({ jsonName }) => jsonName === name)!;
    if (field.fieldKind === 'list') return [name, (value as unknown[]).map((item) => inner(field, item))];
    if (field.fieldKind !== 'map') return [name, inner(field, value)];
    return [name, Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, inner(field, item)]))];
  });
  const later = { cameLater: { deep: [1, { x: null }] }, came_later: 'too', '': 0 };
  return { ...Object.fromEntries(all), ...(what === 'fields' && later) };
}
