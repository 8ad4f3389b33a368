/** Outcomes that were known by their question, and what is known or promised further ahead than anybody can know. */
import { readFileSync } from 'node:fs';
import {
  canonicalSpec,
  events,
  LabelingClient,
  LabelsAdded,
  type ModelDeclared,
  Outcome,
  OutcomesReported,
  parseModelSpec,
  RecordOutcomesReply,
  RecordOutcomesRequest,
} from '@driftloop/contracts';
import { call, errorKey, grpcClient } from '@driftloop/service';
import { HandClock } from '@driftloop/testing/clock';
import { type TestOptions, testService } from '@driftloop/testing/service';
import type { ServiceError } from '@grpc/grpc-js';
import { labeling } from './index.js';

const spec = parseModelSpec(readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8'));
const label = 'flights.late15';
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const entityTime = new Date(Date.UTC(2013, 0, 1, 12));
const at = (ms: number) => new Date(entityTime.getTime() + ms);
const outcome = (entityId: string, knownAt: Date) =>
  Outcome.fromPartial({ entityId, entityTime, knownAt, value: 1, source: 'bts' });

let service: Awaited<ReturnType<typeof testService>>;
let client: LabelingClient;

async function open(options: TestOptions = {}) {
  service = await testService(labeling, options);
  client = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
  const { json, sha256 } = canonicalSpec(spec);
  const declared: ModelDeclared = { tenant: 'main', model: 'flights', revision: 1, specJson: json, specSha256: sha256 };
  const { topic, key, payload } = events.modelDeclared;
  const event = { id: 'd1', topic, key: key(declared), time: 0, source: 'registry', data: payload.toJSON(declared) };
  await service.ground.bus.publish([event]);
  await service.ground.bus.settled();
}
afterEach(async () => {
  client.close();
  await service.close();
});

const record = (outcomes: Outcome[], watermark?: Date) =>
  call(client, 'recordOutcomes', RecordOutcomesRequest.fromPartial({ label, outcomes, watermark }));
const stream = (outcomes: Outcome[], watermark?: Date) =>
  new Promise<RecordOutcomesReply>((resolve, reject) => {
    const sending = client.streamOutcomes((error, reply) => (error ? reject(typed(error)) : resolve(reply)));
    sending.write(RecordOutcomesRequest.fromPartial({ label, outcomes, watermark }));
    sending.end();
  });
const typed = ({ metadata }: ServiceError) => JSON.parse(String(metadata.get(errorKey)[0]));
async function report(outcomes: Outcome[], watermark?: Date) {
  const { topic, key } = events.outcomesReported;
  const reported = OutcomesReported.fromPartial({ label, outcomes, watermark });
  const data = OutcomesReported.toJSON(reported);
  await service.ground.bus.publish([{ id: 'theirs', topic, key: key(reported), time: 0, source: 'external', data }]);
  await service.ground.bus.settled();
  return (await service.ground.bus.dead('labeling.when-outcomes-reported')).map(({ error }) => error.code);
}
const quarantined = async () => (await call(client, 'listQuarantine', { model: 'flights', state: '', limit: 0 })).items;
const release = (id: string) => call(client, 'resolveQuarantine', { id, state: 'released', note: '' });
const withdraw = (to?: Date) =>
  call(client, 'withdrawWatermark', { model: 'flights', source: 'outcomes', to, note: 'a wrong clock' });
async function told() {
  await service.ground.bus.settled();
  const { topic, partitions } = events.labelsAdded;
  const all = Array.from({ length: partitions }, (_, p) => service.ground.bus.read(topic, p, 0, 1000));
  return (await Promise.all(all)).flat().flatMap((event) => LabelsAdded.fromJSON(event.data).labels);
}

describe('an outcome that was known by its question', () => {
  beforeEach(() => open());

  it.each([
    ['in 1970', new Date(0)],
    ['an hour before', at(-2 * hour)],
    ['at its very instant', at(-hour)],
  ])('%s is set aside by name, and told to nobody', async (_when, knownAt) => {
    const both = [outcome('F1', knownAt), outcome('F2', at(-hour + 1))];
    expect(await record(both)).toMatchObject({ accepted: 1, quarantined: 1, contradictory: 0, rejected: [] });
    expect(await record(both)).toMatchObject({ duplicates: 2, quarantined: 0 });
    expect((await told()).map(({ entityId }) => entityId)).toEqual(['F2']);
    const [item] = await quarantined();
    expect(item.kind).toBe('known_early');
    expect(item.reasons).toEqual([
      `known at ${knownAt.toISOString()}, and its question was asked at ${at(-hour).toISOString()}, 60 minutes before entity_time`,
    ]);
  });

  it('is set aside through a stream and from the bus alike', async () => {
    expect(await stream([outcome('F1', new Date(0))])).toMatchObject({ accepted: 0, quarantined: 1 });
    expect(await report([outcome('F2', new Date(0))])).toEqual([]);
    expect((await quarantined()).map(({ kind }) => kind)).toEqual(['known_early', 'known_early']);
  });

  it('is a label that became known after its question, once a person has let it in', async () => {
    await record([outcome('F1', new Date(0))]);
    await release((await quarantined())[0].id);
    expect((await told()).map(({ knownAt }) => knownAt)).toEqual([at(-hour + 1)]);
  });
});

describe('in a replay', () => {
  beforeEach(() => open());

  it.each([['2199-12-31'], ['2031-01-01'], [at(40 * day).toISOString()]])(
    'a promise of %s is refused with all that comes with it, at every door',
    async (time) => {
      await record([outcome('F1', at(hour))], at(2 * hour));
      const watermark = new Date(time);
      const refusal = { code: 'WATERMARK_AHEAD', retriable: false };
      await expect(record([outcome('F2', at(hour))], watermark)).rejects.toMatchObject(refusal);
      await expect(stream([outcome('F2', at(hour))], watermark)).rejects.toMatchObject({ code: 'WATERMARK_AHEAD' });
      expect(await report([outcome('F2', at(hour))], watermark)).toEqual(['WATERMARK_AHEAD']);
      expect((await told()).map(({ entityId }) => entityId)).toEqual(['F1']);
    },
  );

  it('a promise goes on in steps, and with the outcomes that it is about', async () => {
    await record([outcome('F1', at(hour))], at(7 * day));
    await record([], at(14 * day));
    await record([outcome('F2', at(60 * day))], at(61 * day));
    await expect(record([], at(70 * day))).rejects.toMatchObject({ code: 'WATERMARK_AHEAD' });
  });

  it('an outcome that is known only in the future is refused by name, where the others are past', async () => {
    const reply = await record([outcome('F1', at(hour)), outcome('F2', new Date('2199-01-01'))]);
    expect(reply).toMatchObject({ accepted: 1, rejected: [{ index: 1, code: 'KNOWN_AHEAD' }] });
  });
});

describe('live', () => {
  const now = at(3 * hour).getTime();
  beforeEach(() => open({ environment: { DRIFTLOOP_CLOCK: 'live' }, clock: new HandClock(now) }));

  it('nothing is known or promised further ahead than clocks differ by', async () => {
    const [just, beyond] = [new Date(now + hour), new Date(now + hour + minute)];
    expect(await record([outcome('F1', just), outcome('F2', beyond)], just)).toMatchObject({
      accepted: 1,
      rejected: [{ index: 1, code: 'KNOWN_AHEAD' }],
    });
    await expect(record([], beyond)).rejects.toMatchObject({ code: 'WATERMARK_AHEAD' });
  });
});

describe('a promise that an earlier release has taken', () => {
  beforeEach(async () => {
    await open();
    await record([outcome('F1', at(hour)), outcome('F2', new Date(0))]);
    await service.ground.connection
      .model('Journal')
      .updateOne({ _id: `main/${label}` }, { $set: { newest: Date.UTC(2199, 11, 31) } });
  });

  it('is taken back, so that what a person lets in is known after what is known', async () => {
    expect((await withdraw(at(2 * hour))).newest).toEqual(at(2 * hour));
    expect((await withdraw()).newest).toEqual(at(hour));
    await release((await quarantined())[0].id);
    const known = (await told()).map(({ entityId, knownAt }) => [entityId, knownAt]);
    expect(known.sort()).toEqual([
      ['F1', at(hour)],
      ['F2', at(hour + 1)],
    ]);
  });

  it('is not taken back of a model that declares no label, nor to a time that is none', async () => {
    const request = { source: 'outcomes', to: undefined, note: '' };
    await expect(call(client, 'withdrawWatermark', { ...request, model: 'boats' })).rejects.toMatchObject({
      code: 'LABELS_NOT_DECLARED',
    });
    await expect(withdraw(new Date('9999-01-01'))).rejects.toMatchObject({ code: 'WATERMARK_INVALID' });
  });
});
