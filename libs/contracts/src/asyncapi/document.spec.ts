/** The AsyncAPI document as it is in docs/: valid, whole, and true of what is really told. */
import { readdirSync, readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { type AnyEvent, events } from '../events.js';

const path = new URL('../../../../docs/asyncapi.yaml', import.meta.url);
const recorded = new URL('../../recorded/', import.meta.url);
const text = readFileSync(path, 'utf8');
const document = parse(text);
const all: readonly AnyEvent[] = Object.values(events);

/** Every event that a release has recorded, by topic. */
const told = readdirSync(recorded).flatMap((release) =>
  readdirSync(new URL(`${release}/`, recorded)).map((file) => ({
    release,
    topic: file.replace(/\.json$/, ''),
    facts: JSON.parse(readFileSync(new URL(`${release}/${file}`, recorded), 'utf8')) as { data: object }[],
  })),
);

const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema(document, 'asyncapi');
const payload = (topic: string) => {
  const { $ref } = document.components.messages[topic].payload;
  return ajv.compile({ $ref: `asyncapi${$ref}` });
};

async function faultsOf(yaml: string) {
  const { diagnostics } = await new Parser().parse(yaml);
  const faults = diagnostics.filter(({ severity }) => severity <= 1);
  return faults.map(({ code, message, path }) => ({ code, message, path }));
}

describe('the AsyncAPI document', () => {
  it('is valid, without an error or a warning', async () => {
    expect(await faultsOf(text)).toEqual([]);
  }, 60_000);

  it('would not be with a channel that is nowhere', async () => {
    const broken = text.replace('$ref: "#/channels/model.promoted"', '$ref: "#/channels/model.crowned"');
    expect(await faultsOf(broken)).toContainEqual(expect.objectContaining({ code: 'invalid-ref' }));
  }, 60_000);

  it('has every topic with its partitions, retention, speaker and listeners', () => {
    expect(Object.keys(document.channels)).toEqual(all.map(({ topic }) => topic));
    for (const { topic, partitions, keep, from, to } of all) {
      const { bindings, ...channel } = document.channels[topic];
      expect(channel).toMatchObject({ address: topic, 'x-speaker': from, 'x-listeners': to });
      const policy = bindings.kafka.topicConfiguration;
      expect([bindings.kafka.partitions, policy['cleanup.policy'][0] === 'compact', policy['retention.ms']]).toEqual([
        partitions,
        keep === 'compact',
        keep === 'compact' ? undefined : Number.parseFloat(keep) * 86_400_000,
      ]);
      expect(document.operations[topic].action).toBe(from === 'external' ? 'receive' : 'send');
    }
  });

  it('gives keys in the words of the map', () => {
    const key = (topic: string) => document.components.messages[topic].bindings.kafka.key.description;
    expect(key('model.promoted')).toBe('{tenant}/{model}: events of one key are heard in order.');
    expect(key('labels.added')).toMatch(/^\{tenant\}\/\{label\}\/\{bucket\}: /);
  });

  it('carries the comments of the .proto files', () => {
    const { ModelPromoted, PredictionsMade, Verdict } = document.components.schemas;
    expect(ModelPromoted.properties.reference.description).toMatch(/^The released model's reference/);
    expect(PredictionsMade.properties.dropped.description).toMatch(/^Predictions not logged since/);
    expect(Verdict.anyOf[0].enum).toContain('VERDICT_ROLL_BACK');
  });
});

describe('its payload schemas', () => {
  it.each(told)('take what was told in $release as $topic', ({ topic, facts }) => {
    const takes = payload(topic);
    for (const { data } of facts) expect([takes(data), takes.errors]).toEqual([true, null]);
  });

  it.each(told)('know every field of what was told in $release as $topic', ({ topic, facts }) => {
    const schema = schemaAt(document.components.messages[topic].payload);
    for (const { data } of facts) expect(unknown(data, schema)).toEqual([]);
  });

  it.each([
    ['a number as text', 'model.promoted', { datasetRows: 'many' }],
    ['a list that is none', 'labels.added', { labels: {} }],
    ['two of a oneof', 'entities.observed', { rows: [{ values: { temp: { number: 1, text: 'warm' } } }] }],
    ['an enum value without its prefix', 'rollout.judged', { verdict: 'promote' }],
  ])('refuse %s', (_what, topic, data) => {
    expect(payload(topic)(data)).toBe(false);
  });

  it.each([
    ['a field that came later', 'model.promoted', { colour: 'red' }],
    ['an enum value that came later', 'rollout.judged', { verdict: 'VERDICT_WAIT' }],
    ['whole numbers as digits, as other writers of proto3 JSON have them', 'model.promoted', { datasetRows: '12' }],
    ['not a number', 'predictions.made', { predictions: [{ numbers: ['NaN', 1.5] }] }],
  ])('take %s', (_what, topic, data) => {
    expect(payload(topic)(data)).toBe(true);
  });
});

interface Node {
  $ref?: string;
  allOf?: Node[];
  properties?: Record<string, Node>;
  items?: Node;
  additionalProperties?: Node;
}

function schemaAt(node: Node): Node {
  const ref = node.$ref ?? node.allOf?.find(({ $ref }) => $ref)?.$ref;
  return ref ? schemaAt(document.components.schemas[ref.split('/').at(-1)!]) : node;
}

/** Paths of fields that a schema has no word about. */
function unknown(value: unknown, schema: Node, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => unknown(item, schemaAt(schema.items!), path));
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const of = schema.properties?.[name] ?? schema.additionalProperties;
    return of ? unknown(inner, schemaAt(of), `${path}.${name}`) : [`${path}.${name}`];
  });
}
