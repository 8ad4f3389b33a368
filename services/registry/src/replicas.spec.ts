/** The registry in two replicas side by side: whoever is slower finds the move made, and undoes nothing. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, ModelTrained, RegistryClient, TimePassed } from '@driftloop/contracts';
import { call, type EmbeddedStore, grpcClient, openEmbeddedStore, readSettings } from '@driftloop/service';
import { replicaEnvironment, testService } from '@driftloop/testing/service';
import { registry } from './index.js';
import { Reading } from './reading.js';
import { RegistryDocuments } from './registry.documents.js';
import { Rollouts } from './rollouts.js';
import { Versions } from './versions.js';

const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
const model = 'flights';
const day = (n: number) => new Date(Date.UTC(2013, 0, n, 9));
const both: { service: Awaited<ReturnType<typeof testService>>; client: RegistryClient }[] = [];
let home: string;
let store: EmbeddedStore;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-registry-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
  const replayToken = 'replay-token-of-a-test';
  for (const name of ['a', 'b']) {
    const environment = replicaEnvironment(name, { DRIFTLOOP_REPLAY_TOKEN: replayToken });
    const service = await testService(registry, { store, environment });
    const token = { reveal: () => replayToken } as never;
    both.push({ service, client: grpcClient(RegistryClient, `127.0.0.1:${service.port}`, token) });
  }
  await call(both[0].client, 'apply', { spec, eventTime: day(1) });
});
afterEach(async () => {
  for (const { service, client } of both.splice(0)) {
    client.close();
    await service.close();
  }
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

const trained = (cycleId: string) =>
  ModelTrained.fromPartial({ tenant: 'main', model, cycleId, eventTime: day(20), purpose: 'retrain', champion: 'v0' });
const of = <T>(i: number, token: new (...args: never[]) => T): T => both[i].service.app.get<T>(token);

it('declares a model once where both are told at once', async () => {
  const other = spec.replace('name: flights', 'name: others');
  const asked = both.map(({ client }) => call(client, 'apply', { spec: other, eventTime: day(2) }));
  const replies = await Promise.allSettled(asked);
  const revisions = replies.flatMap((reply) => (reply.status === 'fulfilled' ? [reply.value.revision] : []));
  expect(new Set(revisions)).toEqual(new Set([1]));
  await store.bus.settled();
  const told = await store.bus.read(events.modelDeclared.topic, 0, 0, 100);
  expect(told.filter(({ key }) => key === 'main/others')).toHaveLength(1);
  const { rollout } = await call(both[1].client, 'getRollout', { model: 'others', history: 0 });
  expect(rollout).toMatchObject({ revision: 1, champion: { version: 'v0' } });
});

it('registers every candidate under a number of its own, however many come at once', async () => {
  await Promise.all(Array.from({ length: 10 }, (_, i) => of(i % 2, Versions).register(trained(`c${i >> 1}`))));
  const versions = await of(0, RegistryDocuments).versionsOf('main', model);
  expect(versions.map(({ version }) => version)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5']);
  expect(new Set(versions.map(({ cycleId }) => cycleId)).size).toBe(6);
});

it('gives a candidate the next number where another replica has just given its number away', async () => {
  const documents = of(0, RegistryDocuments);
  const { addVersion } = documents;
  documents.addVersion = async (...given) => {
    documents.addVersion = addVersion;
    await of(1, Versions).register(trained('c2'));
    return addVersion.apply(documents, given);
  };
  await of(0, Versions).register(trained('c1'));
  const versions = await documents.versionsOf('main', model);
  expect(versions.map(({ version, cycleId }) => [version, cycleId]).slice(1)).toEqual([
    ['v1', 'c2'],
    ['v2', 'c1'],
  ]);
});

it('registers a cycle once where another replica has just registered it', async () => {
  const { versions } = of(0, RegistryDocuments);
  const { exists } = versions;
  versions.exists = (async (...given: Parameters<typeof exists>) => {
    versions.exists = exists;
    const found = await exists.apply(versions, given);
    await of(1, Versions).register(trained('c1'));
    return found;
  }) as typeof exists;
  await of(0, Versions).register(trained('c1'));
  expect((await of(0, RegistryDocuments).versionsOf('main', model)).map(({ version }) => version)).toEqual([
    'v0',
    'v1',
  ]);
});

it('lets one of two moves from the same revision through', async () => {
  const before = (await of(0, Rollouts).find('main', model))!;
  const cause = { id: 'x', time: day(2).getTime(), tenant: 'main' };
  const moves = await Promise.all([
    of(0, Rollouts).change(cause, model, before, { change: { reason: 'a' } }),
    of(1, Rollouts).change(cause, model, before, { change: { reason: 'b' } }),
  ]);
  expect(moves.filter((rollout) => rollout?.revision === before.revision + 1)).toHaveLength(1);
});

it('keeps a version’s state from a debt of an older revision that is paid late', async () => {
  const documents = of(0, RegistryDocuments);
  await of(0, Versions).register(trained('c1'));
  const _id = `main/${model}/v1`;
  await documents.owe(5, [{ version: _id, state: 'challenger' }]);
  await documents.owe(6, [{ version: _id, state: 'champion' }]);
  await documents.owe(5, [{ version: _id, state: 'challenger' }]);
  expect((await documents.versions.findById(_id).lean())!.state).toBe('champion');
});

it('dates a command by the newest tick, whichever replica has heard it', async () => {
  const { topic, key, payload } = events.timePassed;
  const tick = TimePassed.fromPartial({ now: day(9), replay: true });
  const time = day(9).getTime();
  await store.bus.publish([{ id: 't', topic, key: key(tick), time, source: 'clock', data: payload.toJSON(tick) }]);
  await store.bus.settled();
  expect(await Promise.all([of(0, Reading).now(), of(1, Reading).now()])).toEqual([time, time]);
  for (const [i, held] of [true, false].entries()) {
    const reply = await call(both[i].client, 'freeze', { model, held, note: '' });
    expect(reply.rollout!.effective).toEqual(day(9));
  }
});
