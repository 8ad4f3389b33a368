/** A registry that keeps a model which cannot be opened: its candidate waits aloud, those of other models pass their gates. */
import { readFileSync } from 'node:fs';
import { events, ModelTrained, RegistryClient, TimePassed } from '@driftloop/contracts';
import { call, grpcClient, Isolation } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { registry } from './index.js';
import { RegistryDocuments } from './registry.documents.js';

const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
const day = (n: number) => new Date(Date.UTC(2013, 0, n, 9));
const bricked = { tenant: 'main', model: 'a-bricked' };

let service: Awaited<ReturnType<typeof testService>>;
let client: RegistryClient;
beforeAll(async () => {
  const token = 'replay-token-of-a-test';
  const environment = { DRIFTLOOP_REPLAY_TOKEN: token, DRIFTLOOP_LOG_LEVEL: 'silent' };
  service = await testService(registry, { environment });
  client = grpcClient(RegistryClient, `127.0.0.1:${service.port}`, { reveal: () => token } as never);
  await call(client, 'apply', { spec, eventTime: day(1) });
  // As an earlier release has kept it.
  const { models } = service.app.get(RegistryDocuments);
  await models.create({ _id: 'main/a-bricked', ...bricked, revision: 1, specJson: '{"spec":"of no release"}' });
});
afterAll(async () => {
  client.close();
  await service.close();
});

async function tell(topic: string, key: string, time: Date, data: unknown) {
  await service.ground.bus.publish([
    { id: `${key}-${topic}-${time.getTime()}`, topic, key, time: time.getTime(), source: 'spec', data },
  ]);
  await service.ground.bus.settled();
}
async function train(model: string, purpose: string, at: Date) {
  const artifact = { uri: `main/models/${model}.onnx`, sha256: 'a'.repeat(64), bytes: 10 };
  const facts = { tenant: 'main', model, cycleId: `cycle-${model}`, eventTime: at, purpose, champion: 'v0' };
  const trained = ModelTrained.fromPartial({ ...facts, rolloutRevision: 1, released: artifact, twin: artifact });
  await tell(events.modelTrained.topic, `main/${model}`, at, ModelTrained.toJSON(trained));
}
async function tick(now: Date, previous: Date) {
  const passed = TimePassed.fromPartial({ now, replay: true, previous });
  await tell(events.timePassed.topic, 'clock', now, TimePassed.toJSON(passed));
}
const stateOf = async (id: string) => (await service.app.get(RegistryDocuments).versions.findById(id))?.state;

it('gates the others at each tick, and says what waits', async () => {
  await train('a-bricked', 'bootstrap', day(2));
  await train('flights', 'bootstrap', day(2));
  await tick(day(3), day(2));
  expect(await stateOf('main/flights/v1')).not.toBe('registered');
  expect(await stateOf('main/a-bricked/v0')).toBe('registered');
  expect(service.app.get(Isolation).of(bricked)).toMatchObject([{ work: 'gate', failures: 1 }]);
  expect(await service.ground.bus.dead('registry.when-time-passed')).toEqual([]);
});

it('takes a spec that mends the model', async () => {
  const mended = spec.replace('name: flights', 'name: a-bricked');
  expect(await call(client, 'apply', { spec: mended, eventTime: day(4) })).toMatchObject({
    revision: 2,
    changed: true,
  });
  await tick(day(5), day(4));
  expect(service.app.get(Isolation).of(bricked)).toEqual([]);
  expect(await stateOf('main/a-bricked/v0')).not.toBe('registered');
});
