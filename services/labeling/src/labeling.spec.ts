import { readFileSync } from 'node:fs';
import {
  canonicalSpec,
  events,
  LabelingClient,
  LabelsAdded,
  labelBuckets,
  ModelDeclared,
  Outcome,
  parseModelSpec,
  RecordOutcomesRequest,
} from '@driftloop/contracts';
import { call, grpcClient } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { type ServiceError, status } from '@grpc/grpc-js';
import { labeling } from './index.js';

type Service = Awaited<ReturnType<typeof testService>>;

const spec = parseModelSpec(readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8'));
const label = 'flights.late15';
const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));
const outcome = (entityId: string, fields: Partial<Outcome> = {}) =>
  Outcome.fromPartial({ entityId, entityTime: at(0), knownAt: at(3), value: 1, source: 'bts', ...fields });

let service: Service;
let client: LabelingClient;

beforeEach(async () => {
  service = await testService(labeling);
  client = grpcClient(LabelingClient, `127.0.0.1:${service.port}`);
  const { json, sha256 } = canonicalSpec(spec);
  const declared = { tenant: 'main', model: 'flights', revision: 1, specJson: json, specSha256: sha256 };
  await publish(declared);
});

afterEach(async () => {
  client.close();
  await service.close();
});

async function publish(declared: ModelDeclared) {
  const { topic, key, payload } = events.modelDeclared;
  const data = payload.toJSON(declared);
  await service.ground.bus.publish([{ id: 'd1', topic, key: key(declared), time: 0, source: 'registry', data }]);
  await service.ground.bus.settled();
}

const record = (outcomes: Outcome[], watermark?: Date) =>
  call(client, 'recordOutcomes', RecordOutcomesRequest.fromPartial({ label, outcomes, watermark }));

async function told(): Promise<LabelsAdded[]> {
  await service.ground.bus.settled();
  const { topic, partitions } = events.labelsAdded;
  const all = await Promise.all(
    Array.from({ length: partitions }, (_, p) => service.ground.bus.read(topic, p, 0, 1000)),
  );
  return all.flat().map((event) => LabelsAdded.fromJSON(event.data));
}

/** A time so far away that no number of JavaScript holds its seconds. */
const beyond = Object.assign(new Date(0), { getTime: () => 2 ** 63 });

describe('labeling', () => {
  it('records the outcomes beside one whose times are beyond all numbers, which it names', async () => {
    const { accepted, rejected } = await record([
      outcome('F1'),
      outcome('F2', { knownAt: beyond }),
      outcome('F3', { attributes: { landed: { kind: { $case: 'time', value: beyond } } } }),
      outcome('F4'),
    ]);
    expect(accepted).toBe(2);
    expect(rejected.map(({ index, reason }) => [index, reason])).toEqual([
      [1, expect.stringMatching(/^known_at is not a time/)],
      [2, expect.stringMatching(/^attribute "landed" is not a time/)],
    ]);
  });

  it('tells of new labels in batches of one bucket each', async () => {
    const outcomes = Array.from({ length: 40 }, (_, i) => outcome(`F${i}`));
    expect(await record(outcomes)).toMatchObject({ accepted: 40, duplicates: 0, rejected: [] });
    const batches = await told();
    expect(batches.map((b) => b.bucket).sort()).toEqual([0, 1]);
    expect(batches.flatMap((b) => b.labels.map((l) => l.entityId)).sort()).toEqual(
      outcomes.map((o) => o.entityId).sort(),
    );
  });

  it('tells of nothing when all is known already', async () => {
    await record([outcome('F1')]);
    expect(await record([outcome('F1')])).toMatchObject({ accepted: 0, duplicates: 1 });
    expect(await told()).toHaveLength(1);
  });

  it('tells of a revision under a higher number, and of a contradiction not at all', async () => {
    await record([outcome('F1')]);
    await record([outcome('F1', { value: 0, knownAt: at(9) }), outcome('F1', { value: 0 })]);
    const labels = (await told()).flatMap((b) => b.labels);
    expect(labels.map(({ revision, value }) => [revision, value])).toEqual([
      [1, 1],
      [2, 0],
    ]);
    const { revisions } = await call(client, 'getOutcome', { label, entityId: 'F1' });
    expect(revisions.map((r) => r.value)).toEqual([0, 1]);
  });

  it('remembers a contradiction that comes alone', async () => {
    await record([outcome('F1')]);
    expect(await record([outcome('F1', { value: 0 })])).toMatchObject({ contradictory: 1, quarantined: 1 });
    expect(await record([outcome('F1', { value: 0 })])).toMatchObject({ contradictory: 0, duplicates: 1 });
  });

  it('lets no label through that the next service would refuse with all that come with it', async () => {
    const far = outcome('F2', { knownAt: new Date(Date.UTC(2999, 0)) });
    expect(await record([outcome('F1'), far])).toMatchObject({ accepted: 1, rejected: [{ index: 1 }] });
    expect((await told()).flatMap((b) => b.labels.map((l) => l.entityId))).toEqual(['F1']);
    await expect(record([], new Date(Date.UTC(2999, 0)))).rejects.toMatchObject({ code: 'WATERMARK_INVALID' });
  });

  it('refuses an outcome whose time no calendar has, and records those beside it', async () => {
    // On the wire it is a count of seconds like any other.
    const beyond = { getTime: () => 9e18 } as Date;
    const outcomes = [outcome('F1'), outcome('F2', { entityTime: beyond }), outcome('F3', { knownAt: beyond })];
    expect(await record(outcomes)).toMatchObject({
      accepted: 1,
      rejected: [
        { index: 1, code: 'MALFORMED' },
        { index: 2, code: 'MALFORMED' },
      ],
    });
  });

  it('passes a bare watermark on to every bucket', async () => {
    await record([], at(5));
    const batches = await told();
    expect(batches.map((b) => [b.bucket, b.watermark?.toISOString()]).sort()).toEqual(
      Array.from({ length: labelBuckets }, (_, bucket) => [bucket, at(5).toISOString()]),
    );
  });

  it('finishes what its journal holds before it takes more, as after a crash', async () => {
    await record([outcome('F1')]);
    const { connection } = service.ground;
    await connection.model('Outcome').deleteMany({ _id: { $exists: true } });
    const revision = { knownAt: at(3), value: 1, source: 'bts', confidence: 1, revision: 1 };
    const open = [
      {
        outcome: `main/${label}/F1/${at(0).toISOString()}`,
        entityId: 'F1',
        entityTime: at(0),
        revision,
      },
    ];
    await connection.model('Journal').updateOne({ _id: `main/${label}` }, { $set: { open } });
    expect(await record([outcome('F1')])).toMatchObject({ accepted: 0, duplicates: 1 });
  });

  it('sums a stream up, rejected rows by their index over all batches', async () => {
    const reply = await new Promise((resolve, reject) => {
      const stream = client.streamOutcomes((error, total) => (error ? reject(error) : resolve(total)));
      stream.write(RecordOutcomesRequest.fromPartial({ label, outcomes: [outcome('F1'), outcome('F2')] }));
      stream.write(RecordOutcomesRequest.fromPartial({ label, outcomes: [outcome('F2'), outcome('')] }));
      stream.end();
    });
    expect(reply).toMatchObject({ accepted: 2, duplicates: 1, rejected: [{ index: 3, code: 'MALFORMED' }] });
  });

  it('ends a stream with its typed error', async () => {
    const failure = await new Promise<ServiceError | null>((resolve) => {
      const stream = client.streamOutcomes((error) => resolve(error));
      stream.write(RecordOutcomesRequest.fromPartial({ label: 'flights.delay', outcomes: [outcome('F1')] }));
      stream.end();
    });
    expect(failure).toMatchObject({ code: status.NOT_FOUND, details: expect.stringContaining(label) });
    expect(String(failure!.metadata.get('driftloop-error-bin'))).toContain('UNKNOWN_LABEL');
  });

  it('names the labels there are when one is not declared', async () => {
    const request = RecordOutcomesRequest.fromPartial({ label: 'flights.delay', outcomes: [outcome('F1')] });
    await expect(call(client, 'recordOutcomes', request)).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: expect.stringContaining(label),
    });
  });

  it('refuses a request that is too large', async () => {
    const outcomes = Array.from({ length: 5001 }, (_, i) => outcome(`F${i}`));
    await expect(record(outcomes)).rejects.toMatchObject({ code: 'TOO_MANY_OUTCOMES' });
  });
});
