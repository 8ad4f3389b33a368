/** Labeling in two replicas side by side: what both are told at once is recorded once, and told once. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  canonicalSpec,
  events,
  LabelingClient,
  LabelsAdded,
  ModelDeclared,
  Outcome,
  parseModelSpec,
  RecordOutcomesRequest,
} from '@driftloop/contracts';
import { call, type EmbeddedStore, grpcClient, openEmbeddedStore, readSettings } from '@driftloop/service';
import { replicaEnvironment, testService } from '@driftloop/testing/service';
import { labeling } from './index.js';
import { LabelingDocuments } from './labeling.documents.js';

const spec = parseModelSpec(readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8'));
const label = 'flights.late15';
const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));
const outcome = (entityId: string, value = 1) =>
  Outcome.fromPartial({ entityId, entityTime: at(0), knownAt: at(3), value, source: 'bts' });
const both: { service: Awaited<ReturnType<typeof testService>>; client: LabelingClient }[] = [];
let home: string;
let store: EmbeddedStore;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-labeling-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
  for (const name of ['a', 'b']) {
    const service = await testService(labeling, { store, environment: replicaEnvironment(name) });
    both.push({ service, client: grpcClient(LabelingClient, `127.0.0.1:${service.port}`) });
  }
  const { json, sha256 } = canonicalSpec(spec);
  await declare({ tenant: 'main', model: 'flights', revision: 1, specJson: json, specSha256: sha256 });
});
afterEach(async () => {
  for (const { service, client } of both.splice(0)) {
    client.close();
    await service.close();
  }
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

async function declare(declared: ModelDeclared) {
  const { topic, key, payload } = events.modelDeclared;
  const data = payload.toJSON(declared);
  const id = `d${declared.revision}`;
  await store.bus.publish([{ id, topic, key: key(declared), time: 0, source: 'registry', data }]);
  await store.bus.settled();
}

async function told(): Promise<LabelsAdded[]> {
  await store.bus.settled();
  const { topic, partitions } = events.labelsAdded;
  const all = await Promise.all(Array.from({ length: partitions }, (_, p) => store.bus.read(topic, p, 0, 5000)));
  return all.flat().map((event) => LabelsAdded.fromJSON(event.data));
}

const record = (i: number, outcomes: Outcome[]) =>
  call(both[i % 2].client, 'recordOutcomes', RecordOutcomesRequest.fromPartial({ label, outcomes }));

it('takes what both are told at once, each outcome once, and answers every request', async () => {
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, i) => record(i, [outcome(`F${i}`), outcome(`F${i >> 1}x`)])),
  );
  const sum = (key: 'accepted' | 'duplicates') => replies.reduce((total, reply) => total + reply[key], 0);
  expect([sum('accepted'), sum('duplicates')]).toEqual([60, 20]);
  const entities = (await told()).flatMap(({ labels }) => labels.map(({ entityId }) => entityId));
  expect([entities.length, new Set(entities).size]).toEqual([60, 60]);
});

it('takes up a journal that another replica began, and wrote to, since it looked for one', async () => {
  const documents = both[0].service.app.get(LabelingDocuments);
  const begin = documents.beginJournal.bind(documents);
  documents.beginJournal = async (id) => {
    const { apply } = other;
    other.apply = async () => {
      throw new Error('the replica is killed here');
    };
    await expect(record(1, [outcome('F1')])).rejects.toBeDefined();
    other.apply = apply;
    return begin(id);
  };
  const other = both[1].service.app.get(LabelingDocuments);
  expect(await record(0, [outcome('F1')])).toMatchObject({ accepted: 0, duplicates: 1 });
});

it('keeps a person’s release from a replica that applies an older word late', async () => {
  const documents = both[0].service.app.get(LabelingDocuments);
  const declared = (await documents.labels.findById(`main/${label}`).lean())!;
  const revision = { knownAt: at(3), value: 1, source: 'bts', confidence: 1, revision: 1 };
  const change = { outcome: `main/${label}/F1/x`, entityId: 'F1', entityTime: at(0), revision };
  const held = { id: 'labeling/1', kind: 'contradictory' as const, reason: 'x', row: '{}' };
  const said = (state: 'released' | 'upheld') => ({
    ...change,
    known: true,
    resolved: { id: held.id, state, note: '' },
  });
  await documents.apply(declared, [{ ...change, held }]);
  await documents.apply(declared, [said('upheld')]);
  await documents.apply(declared, [said('released')]);
  await documents.apply(declared, [said('upheld')]);
  expect(await documents.quarantine.findById(held.id).lean()).toMatchObject({ state: 'released' });
});

it('keeps the newest declaration of a label, whichever replica hears it when', async () => {
  const documents = both[0].service.app.get(LabelingDocuments);
  const known = (await documents.labels.findById(`main/${label}`).lean())!;
  const newer = { ...known, specRevision: 3, consistency: [] };
  await Promise.all([documents.declare(newer), documents.declare({ ...known, specRevision: 2 })]);
  await documents.declare({ ...known, specRevision: 2 });
  expect(await documents.labels.findById(`main/${label}`).lean()).toEqual(newer);
});
