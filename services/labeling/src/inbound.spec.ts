/** Outcomes that come over the bus: the same as through the door; what is at fault is a dead letter that says why. */
import { readFileSync } from 'node:fs';
import {
  canonicalSpec,
  events,
  LabelingClient,
  LabelsAdded,
  Outcome,
  OutcomesReported,
  parseModelSpec,
} from '@driftloop/contracts';
import { call, grpcClient } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { labeling } from './index.js';

const spec = parseModelSpec(readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8'));
const label = 'flights.late15';
const group = 'labeling.when-outcomes-reported';
const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));
const outcome = (entityId: string, fields: Partial<Outcome> = {}) =>
  Outcome.fromPartial({ entityId, entityTime: at(0), knownAt: at(3), value: 1, source: 'bts', ...fields });
const report = (...outcomes: Outcome[]) => OutcomesReported.toJSON(OutcomesReported.fromPartial({ label, outcomes }));

let service: Awaited<ReturnType<typeof testService>>;
let client: LabelingClient;
let reports: number;
const lines: string[] = [];

beforeEach(async () => {
  reports = 0;
  lines.length = 0;
  service = await testService(labeling, { logLines: { write: (line) => void lines.push(line) } });
  client = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
  const { json, sha256 } = canonicalSpec(spec);
  const declared = { tenant: 'main', model: 'flights', revision: 1, specJson: json, specSha256: sha256 };
  const { topic, key, payload } = events.modelDeclared;
  await publish({ id: 'd1', topic, key: key(declared), time: 0, source: 'registry', data: payload.toJSON(declared) });
});
afterEach(async () => {
  client.close();
  await service.close();
});

async function publish(event: Parameters<typeof service.ground.bus.publish>[0][number]) {
  await service.ground.bus.publish([event]);
  await service.ground.bus.settled();
}

/** What an outsider writes, as it is read from Kafka. */
const reported = (data: unknown, fields: { id?: string; key?: string } = {}) =>
  publish({
    ...{ id: `theirs-${++reports}`, topic: 'outcomes.reported', key: label, time: at(4).getTime(), source: 'external' },
    ...{ data, ...fields },
  });

async function told(tenant = 'main') {
  const { topic, partitions } = events.labelsAdded;
  const all = Array.from({ length: partitions }, (_, p) => service.ground.bus.read(topic, p, 0, 1000));
  const added = (await Promise.all(all)).flat().map((event) => LabelsAdded.fromJSON(event.data));
  return added
    .filter((batch) => batch.tenant === tenant)
    .flatMap(({ labels }) => labels.map((l) => l.entityId))
    .sort();
}
const dead = async () => (await service.ground.bus.dead(group)).map(({ id, error }) => [id, error.code, error.message]);

it('become labels, as through the door', async () => {
  await reported(report(outcome('F1'), outcome('F2', { value: 0 })));
  expect(await told()).toEqual(['F1', 'F2']);
  const { revisions } = await call(client, 'getOutcome', { label, entityId: 'F2' });
  expect(revisions).toMatchObject([{ value: 0, knownAt: at(3), source: 'bts', confidence: 1 }]);
  expect(await dead()).toEqual([]);
});

it('carry a watermark to every bucket', async () => {
  await reported({ label, watermark: at(9).toISOString() });
  const { topic, partitions } = events.labelsAdded;
  for (let bucket = 0; bucket < partitions; bucket++)
    expect(await service.ground.bus.read(topic, bucket, 0, 10)).toMatchObject([
      { data: { watermark: at(9).toISOString() } },
    ]);
});

it('are told once, however often they come and whatever their ids and keys are', async () => {
  await reported(report(outcome('F1')), { id: 'same' });
  await reported(report(outcome('F1')), { id: 'same' });
  await reported(report(outcome('F1')), { key: '' });
  await call(client, 'recordOutcomes', { label, outcomes: [outcome('F1')], watermark: undefined });
  expect(await told()).toEqual(['F1']);
});

it('with fields that nobody knows are read without them', async () => {
  const { outcomes } = report(outcome('F1')) as { outcomes: object[] };
  await reported({ label, outcomes: [{ ...outcomes[0], colour: 'red' }], specversion: 7 });
  expect([await told(), await dead()]).toEqual([['F1'], []]);
});

it('belong to the main tenant, whatever they say', async () => {
  await reported({ ...(report(outcome('F1')) as object), tenant: 'somebody-else' });
  expect([await told(), await told('somebody-else')]).toEqual([['F1'], []]);
});

it.each<[string, unknown, string, RegExp]>([
  ['no object', 'late', 'PAYLOAD_INVALID', /theirs-1 of outcomes\.reported .*not a JSON object/],
  ['outcomes that are no list', { label, outcomes: 'F1' }, 'PAYLOAD_INVALID', /outcomes.* expected Array/],
  [
    'a value that is no number',
    { label, outcomes: [{ entityId: 'F1', value: 'late' }] },
    'PAYLOAD_INVALID',
    /Outcome\.value/,
  ],
  [
    'a time that is none',
    { label, outcomes: [{ entityId: 'F1', knownAt: 'noon' }] },
    'PAYLOAD_INVALID',
    /Timestamp.*RFC 3339/,
  ],
  ['a misspelt list', { label, outcome: [{ entityId: 'F1' }] }, 'REPORT_EMPTY', /neither outcomes nor a watermark/],
  [
    'a label that nobody declares',
    { label: 'f.x', outcomes: [{}] },
    'UNKNOWN_LABEL',
    /"f\.x"; declared: flights\.late15/,
  ],
  ['a watermark of the year 2999', { label, watermark: '2999-01-01T00:00:00Z' }, 'WATERMARK_INVALID', /1900 and 2200/],
])('with %s are a dead letter with the reason, and hold up nobody', async (_what, data, code, reason) => {
  await reported(data);
  await reported(report(outcome('F2')));
  expect(await dead()).toEqual([['theirs-1', code, expect.stringMatching(reason)]]);
  expect(await told()).toEqual(['F2']);
});

it('of which some are malformed are recorded without those, which the dead letter lists', async () => {
  const far = outcome('F3', { knownAt: new Date(Date.UTC(2999, 0)) });
  await reported(report(outcome('F1'), outcome(''), far));
  expect(await told()).toEqual(['F1']);
  const reason =
    /^2 of 3 outcomes of "flights\.late15" are malformed, the rest is recorded: \[1\] entity_id is missing; \[2\] known_at/;
  expect(await dead()).toEqual([['theirs-1', 'OUTCOMES_REFUSED', expect.stringMatching(reason)]]);
});

it('of which some cannot even be read are recorded without those, each with its reason', async () => {
  const { outcomes } = report(outcome('F1'), outcome('F2'), outcome('F3')) as { outcomes: object[] };
  const [first, second, third] = outcomes;
  const noon = { ...second, knownAt: 'noon' };
  const late = { ...third, value: 'late' };
  await reported({ label, outcomes: [noon, first, late, 7] });
  expect(await told()).toEqual(['F1']);
  const reason =
    /^3 of 4 outcomes .* the rest is recorded: \[0\] .*Timestamp.*RFC 3339.*; \[2\] .*Outcome\.value.*; \[3\] .*Outcome/;
  expect(await dead()).toEqual([['theirs-1', 'OUTCOMES_REFUSED', expect.stringMatching(reason)]]);
});

it('that are given back add nothing twice', async () => {
  await reported(report(outcome('F1'), outcome('')));
  await service.ground.bus.replayDead(group, ['theirs-1']);
  await service.ground.bus.settled();
  expect(await told()).toEqual(['F1']);
  expect((await dead()).map(([id]) => id)).toEqual(['theirs-1']);
});

it('names fields that nobody reads, and takes the rest', async () => {
  const [whole] = (report(outcome('F1')) as { outcomes: object[] }).outcomes;
  for (let i = 0; i < 3; i++) await reported({ label, outcomes: [{ ...whole, sorce: 'bts' }], watermrk: 'x' });
  expect(await told()).toContain('F1');
  const warned = lines.map((line) => JSON.parse(line)).filter(({ fields }) => fields);
  expect(warned.map(({ level, topic, fields, events }) => ({ level, topic, fields, events }))).toEqual(
    [1, 2].map((n) => ({ level: 40, topic: 'outcomes.reported', fields: ['outcomes[].sorce', 'watermrk'], events: n })),
  );
});
