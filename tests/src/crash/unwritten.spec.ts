import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, ModelDeclared, RegistryClient } from '@driftloop/contracts';
import { registry } from '@driftloop/registry';
import { call, grpcClient } from '@driftloop/service';
import { testService } from '@driftloop/testing/service';
import { firstUnwritten } from './unwritten.js';

const spec = readFileSync(new URL('../../../examples/flights/model.yaml', import.meta.url), 'utf8');
const home = mkdtempSync(join(tmpdir(), 'driftloop-unwritten-'));
let service: Awaited<ReturnType<typeof testService>>;

beforeEach(async () => {
  service = await testService(registry, { home });
  const client = grpcClient(RegistryClient, `127.0.0.1:${service.port}`);
  await call(client, 'apply', { spec, eventTime: undefined });
  client.close();
  await service.ground.bus.settled();
});

afterEach(() => service.close());
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('what a death has left', () => {
  it('is whole where each event has its document', () => {
    expect(firstUnwritten(home)).toBeUndefined();
  });

  it('is told where an event was published and its document is not there', async () => {
    const declared = ModelDeclared.fromPartial({ tenant: 'main', model: 'flights', revision: 2 });
    const { topic, from: source, key, payload } = events.modelDeclared;
    const said = { id: 'e1', topic, source, key: key(declared), time: Date.UTC(2013, 0, 1) };
    await service.ground.bus.publish([{ ...said, data: payload.toJSON(declared) }]);
    expect(firstUnwritten(home)).toBe('model.declared e1 was said, and registry.models main/flights does not show it');
  });
});

it('finds nothing where a house has not begun', () => {
  expect(firstUnwritten(join(home, 'nowhere'))).toBeUndefined();
});
