/** Liveness and readiness over HTTP, and what is behind them. */
import { events } from '@driftloop/contracts';
import { testService } from '@driftloop/testing/service';
import { Dependencies } from './dependencies.js';
import { healthPortOf } from './health.js';
import { readSettings, variableOf } from './index.js';
import { defaultPorts } from './settings.js';
import { tiny, World, world } from './testing/tiny-service.js';

const logLines = { write: () => {} };
const open: { close(): unknown }[] = [];
beforeEach(() => Object.assign(world, new World()));
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function started() {
  const service = await testService(tiny, { healthPort: 0, logLines });
  open.push(service);
  const ask = async (path: string, init?: RequestInit) => {
    const reply = await fetch(`http://127.0.0.1:${service.healthPort}${path}`, init);
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
  };
  const declare = (model: string) => {
    const { topic } = events.modelDeclared;
    const event = {
      id: model,
      topic,
      key: `main/${model}`,
      time: 1,
      source: 'registry',
      data: { tenant: 'main', model },
    };
    return service.ground.bus.publish([event]);
  };
  return { service, ask, declare };
}

const until = async (holds: () => boolean) => {
  for (let i = 0; i < 400 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
};

it('says that it lives and is ready, who it is, and nothing else', async () => {
  const { ask } = await started();
  const who = { service: 'labeling', replica: 'embedded', version: expect.any(String) };
  expect(await ask('/livez')).toEqual({ status: 200, body: { ...who, live: true } });
  expect(await ask('/readyz?verbose')).toEqual({ status: 200, body: { ...who, ready: true, reasons: [] } });
  expect((await ask('/')).status).toBe(404);
  expect((await ask('/livez', { method: 'POST' })).status).toBe(405);
});

it('is live but not ready while a partition is paused, and says which and why', async () => {
  const { service, ask, declare } = await started();
  world.away = true;
  await declare('flights');
  await until(() => !service.ready());
  expect((await ask('/livez')).status).toBe(200);
  const { status, body } = await ask('/readyz');
  expect([status, body.ready]).toEqual([503, false]);
  expect(body.reasons).toEqual([
    expect.stringMatching(/^labeling\.when-model-declared model\.declared\/\d is paused: the store is away$/),
  ]);
  world.away = false;
  await service.ground.bus.settled();
  expect((await ask('/readyz')).status).toBe(200);
});

it('is not ready while a dependency is away, and tells no credential of it', async () => {
  const { service, ask } = await started();
  const { connection } = service.ground;
  const { objects } = service.ground as { objects: { exists: unknown } };
  Object.assign(objects, {
    exists: () => Promise.reject(new Error('no answer of http://minio:s3cr3t-s3cr3t@10.0.0.1:9000')),
  });
  await connection.model('Seen').init();
  await connection.close();
  expect(await ask('/readyz')).toMatchObject({
    status: 503,
    body: {
      ready: false,
      reasons: ['documents: not connected', 'objects: no answer of http://[secret]@10.0.0.1:9000'],
    },
  });
  expect((await ask('/livez')).status).toBe(200);
});

it('asks dependencies once a second at most, and waits two seconds for none of them', async () => {
  let [asked, now] = [0, 0];
  const hanging = new Promise<void>(() => {});
  const dependencies = new Dependencies(
    [
      {
        name: 'bus',
        answer: () => {
          asked++;
          return hanging;
        },
      },
    ],
    () => now,
  );
  const first = dependencies.away();
  now = 900;
  expect(dependencies.away()).toBe(first);
  expect(await first).toEqual(['bus: no answer within 2000 ms']);
  now = 1100;
  expect(dependencies.away()).not.toBe(first);
  await Promise.resolve();
  expect(asked).toBe(2);
});

it('is open in a cluster, and elsewhere where the environment says so', () => {
  const real = {
    KAFKA_BROKERS: 'k:9092',
    MONGODB_URI: 'mongodb://m',
    S3_ENDPOINT: 'http://s',
    S3_ACCESS_KEY: 'a',
    S3_SECRET_KEY: 'b',
  };
  const port = (service: string, environment: Record<string, string>) =>
    healthPortOf(service, readSettings(environment), defaultPorts);
  expect(port('labeling', {})).toBeUndefined();
  expect(port('labeling', { DRIFTLOOP_LABELING_HEALTH_PORT: '9' })).toBe(9);
  expect(port('serving', { DRIFTLOOP_SERVING_METRICS_PORT: '10' })).toBe(10);
  const services = ['labeling', 'feature-store', 'training', 'registry', 'monitoring', 'serving', 'gateway'];
  const ports = services.map((service) => port(service, { ...real, DRIFTLOOP_MODE: 'cluster' }));
  expect(ports).toEqual([7101, 7102, 7103, 7104, 7106, 8002, 3001]);
});

it('says which variable changes a port that is taken', async () => {
  const { service } = await started();
  const second = testService(tiny, { healthPort: service.healthPort, logLines });
  await expect(second).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining(variableOf('labeling-health', 'PORT')),
  });
});
