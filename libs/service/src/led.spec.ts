/** A service in two replicas, led and not led: who answers, who hears, what a caller sees when one dies. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabelingClient } from '@driftloop/contracts';
import { HandClock } from '@driftloop/testing/clock';
import { replicaEnvironment, testService } from '@driftloop/testing/service';
import {
  call,
  type EmbeddedStore,
  grpcClient,
  openEmbeddedStore,
  readSettings,
  type ServiceDefinition,
} from './index.js';
import { tiny, World, world } from './testing/tiny-service.js';

type Running = Awaited<ReturnType<typeof testService>>;
const led: ServiceDefinition = { ...tiny, leads: true };
const leaseMs = 15_000;
let home: string;
const open: { close(): unknown }[] = [];
let store: EmbeddedStore;
let clock: HandClock;
let ports: number[];

beforeEach(async () => {
  Object.assign(world, new World());
  home = mkdtempSync(join(tmpdir(), 'driftloop-led-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
  clock = new HandClock();
  ports = await Promise.all([freePort(), freePort()]);
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function started(definition: ServiceDefinition, i: number, signal?: AbortSignal): Promise<Running> {
  const environment = replicaEnvironment(`r${i}`);
  const service = await testService(definition, { store, environment, clock, port: ports[i], signal });
  open.push(service);
  return service;
}

function client(): LabelingClient {
  const made = grpcClient(LabelingClient, ports.map((port) => `127.0.0.1:${port}`).join(','));
  open.push(made);
  return made;
}

const ask = (from: LabelingClient, label = 'x') =>
  call(from, 'recordOutcomes', { label, outcomes: [], watermark: undefined });
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const pass = (ms: number, step?: number) => clock.live(ms, step);

const declared = (model: string) => ({
  ...{ id: `declared-${model}`, topic: 'model.declared', key: `acme/${model}`, time: 1_357_000_000_000 },
  ...{ source: 'registry', data: { tenant: 'acme', model, revision: 1 } },
});

it('is answered and heard by one replica while it leads, and by the next when it has died', async () => {
  const first = await started(led, 0);
  const asking = client();
  let second: Running | undefined;
  const waiting = started(led, 1).then((running) => {
    second = running;
  });
  await store.bus.publish([declared('a')]);
  await store.bus.settled();
  await pass(2 * leaseMs);
  for (let i = 0; i < 6; i++) expect(await ask(asking)).toMatchObject({ accepted: 1 });
  expect([second, first.ready(), world.heard.length]).toEqual([undefined, true, 1]);

  await first.die();
  await expect(ask(asking)).rejects.toMatchObject({ status: 'UNAVAILABLE', retriable: true });
  await store.bus.publish([declared('b')]);
  await pass(leaseMs + 3000);
  await waiting;
  expect(second!.ready()).toBe(true);
  await store.bus.settled();
  expect(world.heard.map(({ payload }) => payload.model)).toEqual(['a', 'b']);
  await eventually(async () => expect(await ask(asking)).toMatchObject({ accepted: 1 }));
});

it('stops answering and hearing when the lead is lost, and closes itself', async () => {
  const first = await started(led, 0);
  const asking = client();
  await ask(asking);
  // Another process has taken the lease while this one was not looking.
  await first.ground.connection.collection('leases').updateOne({}, { $set: { holder: 'other', fence: 9 } });
  await pass(leaseMs / 6 + 1000);
  await eventually(async () => expect(first.ready()).toBe(false));
  await eventually(() => expect(ask(asking)).rejects.toMatchObject({ status: 'UNAVAILABLE' }));
  await store.bus.publish([declared('c')]);
  await pause(50);
  expect(world.heard).toHaveLength(0);
});

it('hears nothing once its own clock says that the lead has run out, whatever its beats do', async () => {
  const first = await started(led, 0);
  const asking = client();
  await ask(asking);
  const woken = clock.now.bind(clock);
  clock.now = () => woken() + leaseMs; // a machine that slept: no timer has gone off yet
  await expect(ask(asking)).rejects.toMatchObject({ code: 'NOT_LEADING' });
  await store.bus.publish([declared('d')]);
  await pause(100);
  expect(world.heard).toHaveLength(0);
  expect(first.reasons()).toEqual([expect.stringMatching(/is paused: this replica of labeling does not lead/)]);
});

it('can be stopped while it waits', async () => {
  await started(led, 0);
  const stopping = new AbortController();
  const waiting = started(led, 1, stopping.signal);
  await pause(50);
  stopping.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'STOPPED' });
});

it('waits for no lead in a home, which has one process', async () => {
  const first = await testService(led, { store, clock });
  const left = { holder: 'a process of old', fence: 3, beat: 1, leaseMs };
  await first.ground.connection.collection('leases').insertOne({ _id: 'labeling', ...left } as never);
  await first.close();
  const again = await testService(led, { store, clock });
  open.push(again);
  expect(again.ready()).toBe(true);
});

/** What stands between a caller and a replica, so that the replica can vanish as a killed process does. */
async function wireTo(port: number): Promise<{ port: number; cut(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    sockets.push(from, to);
    from.pipe(to).on('error', () => {});
    to.pipe(from).on('error', () => {});
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  open.push({ close: cut });
  return { port: (server.address() as { port: number }).port, cut };
}

it('fails no call when one of two replicas that are not led dies with calls on their way', async () => {
  await Promise.all([started(tiny, 0), started(tiny, 1)]);
  const wires = await Promise.all(ports.map(wireTo));
  const asking = grpcClient(LabelingClient, wires.map(({ port }) => `127.0.0.1:${port}`).join(','));
  open.push(asking);
  for (let i = 0; i < 10; i++) await ask(asking);
  const onTheirWay = Array.from({ length: 20 }, () => ask(asking, 'slow'));
  await pause(50);
  wires[0].cut();
  const after = Array.from({ length: 20 }, () => ask(asking));
  const replies = await Promise.all([...onTheirWay, ...after]);
  expect(replies.every(({ accepted }) => accepted === 1)).toBe(true);
});

async function eventually(holds: () => Promise<unknown>): Promise<void> {
  for (let i = 0; ; i++) {
    try {
      await holds();
      return;
    } catch (error) {
      if (i >= 200) throw error;
      await pause(20);
    }
  }
}
