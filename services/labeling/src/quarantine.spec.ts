/** Outcomes set aside: kept with the reason, told to nobody, let in by a person as labels that are known from then on. */
import { readFileSync } from 'node:fs';
import {
  canonicalSpec,
  events,
  LabelingClient,
  LabelsAdded,
  Outcome,
  parseModelSpec,
  RecordOutcomesRequest,
} from '@driftloop/contracts';
import { call, grpcClient } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { labeling } from './index.js';

type Service = Awaited<ReturnType<typeof testService>>;

const spec = parseModelSpec(readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8'));
const label = 'flights.late15';
const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));
const outcome = (entityId: string, fields: Partial<Outcome> = {}) =>
  Outcome.fromPartial({ entityId, entityTime: at(0), knownAt: at(3), value: 1, source: 'bts', ...fields });
const delayed = (entityId: string, value: number, delay: number) =>
  outcome(entityId, { value, attributes: { arr_delay: { kind: { $case: 'number', value: delay } } } });

let service: Service;
let client: LabelingClient;

beforeEach(async () => {
  service = await testService(labeling);
  client = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
  const { json, sha256 } = canonicalSpec(spec);
  const declared = { tenant: 'main', model: 'flights', revision: 1, specJson: json, specSha256: sha256 };
  const { topic, key, payload } = events.modelDeclared;
  const event = { id: 'd1', topic, key: key(declared), time: 0, source: 'registry', data: payload.toJSON(declared) };
  await service.ground.bus.publish([event]);
  await service.ground.bus.settled();
});

afterEach(async () => {
  client.close();
  await service.close();
});

const record = (outcomes: Outcome[], watermark?: Date) =>
  call(client, 'recordOutcomes', RecordOutcomesRequest.fromPartial({ label, outcomes, watermark }));
const list = (state = '', limit = 0) => call(client, 'listQuarantine', { model: 'flights', state, limit });
const resolve = (id: string, state: string) => call(client, 'resolveQuarantine', { id, state, note: 'looked at it' });

async function told() {
  await service.ground.bus.settled();
  const { topic, partitions } = events.labelsAdded;
  const all = Array.from({ length: partitions }, (_, p) => service.ground.bus.read(topic, p, 0, 1000));
  return (await Promise.all(all)).flat().flatMap((event) => LabelsAdded.fromJSON(event.data).labels);
}

describe('an outcome that breaks a declared rule', () => {
  it('is set aside with the reason, counted once, and told to nobody', async () => {
    expect(await record([delayed('F1', 0, 33), delayed('F2', 1, 15)])).toMatchObject({
      ...{ accepted: 1, quarantined: 1, contradictory: 0, rejected: [] },
    });
    expect(await record([delayed('F1', 0, 33)])).toMatchObject({ quarantined: 0, duplicates: 1 });
    expect((await told()).map(({ entityId }) => entityId)).toEqual(['F2']);
    const { items, total } = await list('held');
    expect(total).toBe(1);
    expect(items[0]).toMatchObject({
      holder: 'labeling',
      kind: 'inconsistent',
      source: 'bts',
      model: 'flights',
      rows: 1,
    });
    expect(items[0].reasons[0]).toContain('arr_delay is 33');
    expect(JSON.parse(items[0].rowJson)).toMatchObject({ entityId: 'F1' });
  });

  it('comes in at once where it is reported again as the rule wants it', async () => {
    await record([delayed('F1', 0, 33)]);
    expect(await record([delayed('F1', 1, 33)])).toMatchObject({ accepted: 1 });
    expect((await told()).map(({ value, revision }) => [value, revision])).toEqual([[1, 1]]);
  });
});

describe('a person', () => {
  it('lets an outcome in as a label that is known after all that was promised, once', async () => {
    await record([delayed('F1', 0, 33)], at(7));
    const [{ id }] = (await list()).items;
    expect(await resolve(id, 'released')).toMatchObject({ state: 'released', note: 'looked at it' });
    await resolve(id, 'released');
    const labels = await told();
    expect(labels).toHaveLength(1);
    expect(labels[0]).toMatchObject({ entityId: 'F1', value: 0, revision: 1, knownAt: new Date(at(7).getTime() + 1) });
    expect(await record([delayed('F1', 0, 33)])).toMatchObject({ quarantined: 0, duplicates: 1 });
    await expect(resolve(id, 'upheld')).rejects.toMatchObject({ code: 'ALREADY_RELEASED' });
  });

  it('lets a contradiction in as a revision of the word that stood', async () => {
    await record([outcome('F1')]);
    await record([outcome('F1', { value: 0, source: 'tower' })]);
    const [{ id, kind }] = (await list('held')).items;
    expect(kind).toBe('contradictory');
    await resolve(id, 'released');
    expect((await told()).map(({ value, revision }) => [value, revision])).toEqual([
      [1, 1],
      [0, 2],
    ]);
    const { revisions } = await call(client, 'getOutcome', { label, entityId: 'F1' });
    expect(revisions.map(({ value }) => value)).toEqual([0, 1]);
  });

  it('tells nothing twice that has become known meanwhile', async () => {
    await record([outcome('F1')]);
    await record([outcome('F1', { value: 0 })]);
    await record([outcome('F1', { value: 0, knownAt: at(9) })]);
    const [{ id }] = (await list('held')).items;
    await resolve(id, 'released');
    expect((await told()).map(({ revision }) => revision)).toEqual([1, 2]);
  });

  it('confirms that an outcome is bad: it stays out', async () => {
    await record([delayed('F1', 0, 33)]);
    const [{ id }] = (await list()).items;
    expect(await resolve(id, 'upheld')).toMatchObject({ state: 'upheld' });
    expect(await told()).toEqual([]);
    expect((await list('upheld')).total).toBe(1);
  });

  it('finds nothing lost that a crash left in the journal', async () => {
    await record([delayed('F1', 0, 33)]);
    const { connection } = service.ground;
    const [item] = await connection.model('Quarantine').find({ tenant: 'main' }).lean();
    await connection.model('Quarantine').deleteMany({ _id: { $exists: true } });
    const {
      _id: id,
      outcome: of,
      entityId,
      entityTime,
      revision,
      kind,
      reason,
      row,
    } = item as never as Record<string, never>;
    const open = [{ outcome: of, entityId, entityTime, revision, held: { id, kind, reason, row } }];
    await connection.model('Journal').updateOne({ _id: `main/${label}` }, { $set: { open } });
    expect(await record([delayed('F1', 0, 33)])).toMatchObject({ quarantined: 0, duplicates: 1 });
    expect((await list('held')).total).toBe(1);
  });

  it('sees the newest first, no more than asked for, with the number of all', async () => {
    await record(Array.from({ length: 5 }, (_, i) => ({ ...delayed(`F${i}`, 0, 33), knownAt: at(3 + i) })));
    const { items, total } = await list('', 2);
    expect([items.map(({ subject }) => subject.slice(0, 2)), total]).toEqual([['F4', 'F3'], 5]);
    await expect(list('gone')).rejects.toMatchObject({ code: 'STATE_UNKNOWN' });
    await expect(resolve('labeling/none', 'released')).rejects.toMatchObject({ code: 'UNKNOWN_ITEM' });
  });
});
