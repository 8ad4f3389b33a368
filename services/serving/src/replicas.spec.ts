/** Serving in replicas side by side: each follows, fails and remembers for itself, and callers lose no answer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, inference, RolloutFailed, RolloutFollowed, Stage, targetOf } from '@driftloop/contracts';
import { type EmbeddedStore, openEmbeddedStore, readSettings } from '@driftloop/service';
import { replicaEnvironment } from '@driftloop/testing/service';
import { credentials } from '@grpc/grpc-js';
import { allInputs, graphOf, parameter, World } from './testing/world.js';

let home: string;
let store: EmbeddedStore;
const open: { close(): unknown }[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-serving-'));
  store = await openEmbeddedStore(home, readSettings({}), 'throw');
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

async function replica(name: string): Promise<World> {
  const world = await World.open({ store, environment: replicaEnvironment(name) });
  open.push(world);
  return world;
}

const read = async <T>({
  topic,
  payload,
}: {
  topic: string;
  payload: { fromJSON(json: unknown): T };
}): Promise<T[]> => {
  await store.bus.settled();
  return (await store.bus.read(topic, 0, 0, 1000)).map(({ data }) => payload.fromJSON(data));
};
const followed = async () =>
  (await read<RolloutFollowed>(events.rolloutFollowed))
    .map(({ replica: name, revision }) => `${name} ${revision}`)
    .sort();
const answer = async (world: World) => (await world.infer({ inputs: allInputs() })).modelVersion;

it('tells of each replica what it follows and what it cannot serve', async () => {
  const [first, second] = [await replica('a'), await replica('b')];
  const v0 = await first.serve(0.2);
  const broken = await first.version('v1', Buffer.from('not a graph'));
  await first.rollOut(2, { champion: v0, challenger: broken, stage: Stage.SHADOW, cycleId: 'c1' });
  expect(await followed()).toEqual(['a 1', 'b 1']);
  const failed = await read<RolloutFailed>(events.rolloutFailed);
  expect(failed.map(({ replica: name, revision }) => `${name} ${revision}`).sort()).toEqual(['a 2', 'b 2']);
  expect([await answer(first), await answer(second)]).toEqual(['v0', 'v0']);
});

it('starts a replica that has never been, with the registry away, as the others left it, and tells of it', async () => {
  const first = await replica('a');
  const v0 = await first.serve(0.2);
  const v1 = await first.version('v1', graphOf(0.3));
  await first.rollOut(2, { champion: v1, cycleId: 'c1' });
  await first.settled();
  await first.close();
  // Of the bus it hears nothing yet: what it knows is from the documents.
  const subscribe = store.bus.subscribe.bind(store.bus);
  store.bus.subscribe = async (options) => {
    if (!options.group.startsWith('serving.')) return subscribe(options);
    return { close: async () => undefined };
  };
  const fresh = await replica('c');
  expect([fresh.service.ready(), await answer(fresh)]).toEqual([true, 'v1']);
  store.bus.subscribe = subscribe;
  expect(await followed()).toEqual(['a 1', 'a 2', 'c 2']);
  await fresh.close();
  const again = await replica('c');
  await again.settled();
  expect(await answer(again)).toBe('v1');
  expect(await followed()).toEqual(['a 1', 'a 2', 'c 2']);
  expect(v0.version).toBe('v0');
});

/** What stands between callers and a replica, so that it can vanish as a killed process does, or stand still. */
async function wireTo(port: number): Promise<{ port: number; cut(): void; freeze(): void }> {
  const sockets: Socket[] = [];
  let frozen = false;
  const server = createServer((from) => {
    sockets.push(from);
    if (frozen) return;
    const to = connect(port, '127.0.0.1');
    sockets.push(to);
    from.pipe(to).on('error', () => {});
    to.pipe(from).on('error', () => {});
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const cut = () => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const freeze = () => {
    frozen = true;
    for (const socket of sockets) socket.unpipe().pause();
  };
  open.push({ close: cut });
  return { port: (server.address() as { port: number }).port, cut, freeze };
}

/** Asks both replicas in turn: `wires` stand before them. */
async function openCaller(replicas: readonly World[]) {
  const wires = await Promise.all(replicas.map(({ service }) => wireTo(service.port)));
  const { target, options } = targetOf(wires.map(({ port }) => `127.0.0.1:${port}`).join(','));
  const client = new inference.GRPCInferenceServiceClient(target, credentials.createInsecure(), options);
  open.push(client);
  const asked: string[] = [];
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const id = `q${asked.length}`;
      asked.push(id);
      const request = { modelName: 'flights', id, inputs: allInputs(), parameters: { entity_id: parameter(id) } };
      const deadline = { deadline: Date.now() + 20_000 };
      const done = (error: Error | null, reply: inference.ModelInferResponse) =>
        error ? reject(error) : resolve(reply.modelVersion);
      client.modelInfer(inference.ModelInferRequest.fromPartial(request), deadline as never, done as never);
    });
  return { wires, asked, ask };
}

it('answers every question while one replica lives, and counts each prediction once', async () => {
  const [first, second] = [await replica('a'), await replica('b')];
  await first.serve(0.2);
  const { wires, asked, ask } = await openCaller([first, second]);
  for (let i = 0; i < 20; i++) expect(await ask()).toBe('v0');
  const onTheirWay = Array.from({ length: 200 }, ask);
  await new Promise((resolve) => setImmediate(resolve));
  wires[0].cut();
  const after = Array.from({ length: 50 }, ask);
  expect(new Set(await Promise.all([...onTheirWay, ...after]))).toEqual(new Set(['v0']));
  await store.bus.settled();
  const made = await store.bus.read(events.predictionsMade.topic, 0, 0, 1000);
  const batches = made.map(({ data }) => events.predictionsMade.payload.fromJSON(data));
  expect(new Set(batches.map(({ replica: name }) => name))).toEqual(new Set(['a', 'b']));
  const ids = batches.flatMap(({ predictions }) => predictions.map(({ id }) => id));
  expect(new Set(ids).size).toBe(asked.length);
});

it('answers every question while one replica stands still and keeps its connections', async () => {
  const [first, second] = [await replica('a'), await replica('b')];
  await first.serve(0.2);
  const { wires, ask } = await openCaller([first, second]);
  for (let i = 0; i < 20; i++) expect(await ask()).toBe('v0');
  wires[0].freeze();
  const onTheirWay = Array.from({ length: 50 }, ask);
  expect(new Set(await Promise.all(onTheirWay))).toEqual(new Set(['v0']));
  const began = performance.now();
  for (let i = 0; i < 20; i++) await ask();
  expect(performance.now() - began).toBeLessThan(2000);
}, 40_000);
