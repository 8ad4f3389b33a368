/** Commands by hand, across a restart. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, ModelTrained, RegistryClient, RollBackRequest, TimePassed } from '@driftloop/contracts';
import { call, grpcClient } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { registry } from './index.js';

const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
const hour = 3_600_000;
const start = Date.UTC(2013, 1, 1);
const home = mkdtempSync(join(tmpdir(), 'driftloop-commands-'));
const token = 'replay-token-of-a-test';

afterAll(() => rmSync(home, { recursive: true, force: true }));

/** The registry on the same home each time, while the work lasts. */
async function during(
  work: (client: RegistryClient, publish: (name: 'tick' | 'trained', at: number) => Promise<void>) => Promise<void>,
) {
  const service = await testService(registry, { home, environment: { DRIFTLOOP_REPLAY_TOKEN: token } });
  const client = grpcClient(RegistryClient, `127.0.0.1:${service.port}`, { reveal: () => token } as never);
  const { bus } = service.ground;
  const artifact = { uri: 'main/models/a.onnx', sha256: 'a'.repeat(64), bytes: 10 };
  const publish = async (name: 'tick' | 'trained', at: number) => {
    const tick = TimePassed.fromPartial({ now: new Date(at), replay: true, previous: new Date(at - hour) });
    const who = { tenant: 'main', model: 'flights', cycleId: 'c1', purpose: 'bootstrap', champion: 'v0' };
    const days = Array.from({ length: 8 }, (_, i) => ({ day: new Date(start + i * 24 * hour), rows: 300 }));
    const comparison = { champion: 'v0', days, slices: [], features: [] };
    const what = { eventTime: new Date(at), rolloutRevision: 1, released: artifact, twin: artifact, comparison };
    const trained = ModelTrained.fromPartial({ ...who, ...what });
    const [definition, data] =
      name === 'tick'
        ? [events.timePassed, TimePassed.toJSON(tick)]
        : [events.modelTrained, ModelTrained.toJSON(trained)];
    const key = name === 'tick' ? 'clock' : 'main/flights';
    await bus.publish([{ id: `${name}/${at}`, topic: definition.topic, key, time: at, source: 'spec', data }]);
    await bus.settled();
  };
  try {
    await work(client, publish);
  } finally {
    client.close();
    await service.close();
  }
}

it('take effect at the last tick also in a process that has not heard one', async () => {
  await during(async (client, publish) => {
    await call(client, 'apply', { spec, eventTime: new Date(start) });
    await publish('trained', start + hour);
    for (let tick = 2; tick <= 100; tick++) await publish('tick', start + tick * hour);
    const { rollout } = await call(client, 'getRollout', { model: 'flights', history: 0 });
    expect(rollout!.champion!.version).toBe('v1');
    expect(rollout!.effective!.getTime()).toBeLessThan(start + 10 * hour);
  });
  await during(async (client) => {
    const { rollout } = await call(client, 'rollBack', RollBackRequest.fromPartial({ model: 'flights' }));
    expect(rollout).toMatchObject({ champion: { version: 'v0' }, effective: new Date(start + 100 * hour) });
  });
}, 30_000);
