/** The outbox on the embedded documents and the embedded bus. */
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus, type HeardEvent } from '@driftloop/bus';
import { type AnyEvent, events, isRetriable } from '@driftloop/contracts';
import mongoose, { type Connection } from 'mongoose';
import { openEmbedded } from './embedded/open.js';
import { MongooseOutbox } from './mongoose-outbox.js';
import { type Cause, emission } from './outbox.js';
import { outboxed } from './outboxed.js';

const cause: Cause = { id: 'cause-1', time: 1000, tenant: 'main' };
const closed = (cycle: string) =>
  emission(
    events.cycleClosed,
    events.cycleClosed.payload.fromPartial({ tenant: 'main', model: 'flights', cycleId: cycle }),
    1000,
  );

const schema = new mongoose.Schema({ _id: String, state: String, n: Number }, { optimisticConcurrency: true }).plugin(
  outboxed,
);

interface World {
  db: DatabaseSync;
  connection: Connection;
  bus: EmbeddedBus;
  outbox: MongooseOutbox;
}

async function open(db = new DatabaseSync(':memory:'), options = {}): Promise<World> {
  const connection = await openEmbedded(db, 'monitoring', { onScan: 'throw' });
  const bus = EmbeddedBus.open(db);
  await bus.declare('cycle.closed', { partitions: 1, keep: '1d' });
  return { db, connection, bus, outbox: new MongooseOutbox(connection, bus, 'monitoring', { retryMs: 2, ...options }) };
}

const model = (connection: Connection) => connection.model('Cycle', schema);
const published = (bus: EmbeddedBus): Promise<HeardEvent[]> => bus.read('cycle.closed', 0, 0, 1000);
const stored = (world: World, id = 'c1') => model(world.connection).collection.findOne({ _id: id as never });

it('publishes what a save emits, in sequence, and leaves nothing pending', async () => {
  const world = await open();
  const Cycle = model(world.connection);
  const doc = new Cycle({ _id: 'c1', state: 'open' });
  await world.outbox.save(doc, [closed('a'), closed('b')], cause);
  await world.bus.settled();
  expect((await published(world.bus)).map(({ data }) => (data as { cycleId: string }).cycleId)).toEqual(['a', 'b']);
  expect((await stored(world))!.pending).toEqual([]);
  const [event] = await published(world.bus);
  expect(event).toMatchObject({ source: 'monitoring', key: 'main/flights', time: 1000, topic: 'cycle.closed' });
});

it('saves the same document again and again', async () => {
  const world = await open();
  const doc = new (model(world.connection))({ _id: 'c1', state: 'open' });
  for (let i = 0; i < 150; i++) {
    doc.n = i;
    await world.outbox.save(doc, [closed(String(i))], { ...cause, id: `cause-${i}` });
  }
  await world.bus.settled();
  const all = await published(world.bus);
  expect(all.map(({ data }) => (data as { cycleId: string }).cycleId)).toEqual(
    Array.from({ length: 150 }, (_, i) => String(i)),
  );
  expect(new Set(all.map(({ id }) => id)).size).toBe(150);
  expect(await stored(world)).toMatchObject({ n: 149, pending: [] });
});

it('refuses a document that somebody else has changed, and emits nothing', async () => {
  const world = await open();
  const Cycle = model(world.connection);
  await world.outbox.save(new Cycle({ _id: 'c1', state: 'open' }), [], cause);
  const [one, two] = [(await Cycle.findById('c1'))!, (await Cycle.findById('c1'))!];
  one.state = 'mine';
  two.state = 'yours';
  await world.outbox.save(one, [closed('one')], cause);
  const refusal = await world.outbox.save(two, [closed('two')], { ...cause, id: 'x' }).catch((error) => error);
  expect(refusal).toMatchObject({ code: 'DOCUMENT_MOVED' });
  expect(isRetriable(refusal)).toBe(true);
  await world.bus.settled();
  expect((await published(world.bus)).length).toBe(1);
  expect((await stored(world))!.state).toBe('mine');
});

it('updates by compare-and-set together with the events', async () => {
  const world = await open();
  const Cycle = model(world.connection);
  await world.outbox.save(new Cycle({ _id: 'c1', state: 'open' }), [], cause);
  const move = () =>
    world.outbox.update(Cycle, { _id: 'c1', state: 'open' }, { $set: { state: 'ended' } }, [closed('x')], cause);
  expect((await move())!.state).toBe('ended');
  expect(await move()).toBeNull();
  await world.bus.settled();
  expect((await published(world.bus)).length).toBe(1);
});

it('refuses an event that another service speaks', async () => {
  const world = await open();
  const doc = new (model(world.connection))({ _id: 'c1' });
  const strange = { definition: events.modelTrained as AnyEvent, payload: {}, time: 1 };
  await expect(world.outbox.save(doc, [strange], cause)).rejects.toMatchObject({ code: 'OUTBOX_WRONG_SPEAKER' });
  expect(await stored(world)).toBeNull();
});

it('keeps events while the bus is away, refuses past the limit, and sends all when it is back', async () => {
  const world = await open();
  const publish = world.bus.publish.bind(world.bus);
  let away = true;
  world.bus.publish = (all) => (away ? Promise.reject(new Error('away')) : publish(all));
  const Cycle = model(world.connection);
  const doc = new Cycle({ _id: 'c1' });
  for (let i = 0; i < 100; i++) {
    doc.n = i;
    await world.outbox.save(doc, [closed(String(i))], { ...cause, id: `cause-${i}` });
  }
  doc.n = 100;
  const refusal = await world.outbox.save(doc, [closed('100')], cause).catch((error) => error);
  expect(refusal).toMatchObject({ code: 'OUTBOX_FULL', retriable: true });
  expect((await stored(world))!.n).toBe(99);
  await expect(Cycle.deleteOne({ _id: 'c1' })).rejects.toMatchObject({ code: 'DOCUMENT_PENDING' });
  await expect(doc.deleteOne()).rejects.toMatchObject({ code: 'DOCUMENT_PENDING' });
  await expect(Cycle.deleteMany({ _id: 'c1' })).rejects.toMatchObject({ code: 'DOCUMENT_PENDING' });
  away = false;
  await world.bus.settled();
  expect((await published(world.bus)).length).toBe(100);
  await Cycle.deleteOne({ _id: 'c1' });
  expect(await stored(world)).toBeNull();
});

it('finds what an earlier process left behind and sends it with the same ids', async () => {
  const world = await open();
  world.bus.publish = () => Promise.reject(new Error('away'));
  const doc = new (model(world.connection))({ _id: 'c1' });
  await world.outbox.save(doc, [closed('a'), closed('b')], cause);
  const left = ((await stored(world))!.pending as { _id: string }[]).map(({ _id }) => _id);
  expect(left.length).toBe(2);
  const next = await open(world.db);
  model(next.connection);
  await next.outbox.drained();
  expect((await published(next.bus)).map(({ id }) => id)).toEqual(left);
  expect((await stored(next))!.pending).toEqual([]);
});
