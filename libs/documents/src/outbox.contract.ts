/** The outbox's contract in code, on any documents and any bus. */
import { type AnyEvent, events, isRetriable } from '@driftloop/contracts';
import mongoose from 'mongoose';
import type { MongooseOutboxOptions } from './mongoose-outbox.js';
import { describeReplicas } from './testing/outbox-replicas.js';
import {
  because,
  closed,
  Gate,
  numbered,
  type OutboxFact,
  type OutboxGround,
  published,
  Replica,
  spoken,
  type World,
} from './testing/outbox-scene.js';
import { fresh, longestMs } from './testing/scene.js';

export type { OutboxGround } from './testing/outbox-scene.js';

/** Describes the contract; `open` makes a fresh ground for each fact. */
export function describeOutbox(name: string, open: () => Promise<OutboxGround>): void {
  const fact = (title: string, run: (world: World) => Promise<void>) =>
    it(
      title,
      async () => {
        const ground = await open();
        const model = fresh();
        const replicas: Replica[] = [];
        const replica = async (options?: MongooseOutboxOptions) => {
          replicas.push(new Replica(await ground.connect(), ground.bus, model, options));
          return replicas.at(-1)!;
        };
        try {
          await run({ bus: ground.bus, gate: new Gate(ground.bus), replica });
        } finally {
          await Promise.all(replicas.map(({ outbox }) => outbox.close()));
          await Promise.all(replicas.map(({ connection }) => connection.close()));
          await ground.close();
        }
      },
      longestMs,
    );
  describe(`${name}: saving`, () => describeSaving(fact));
  describe(`${name}: relaying`, () => describeRelaying(fact));
  describe(`${name}: replicas and restarts`, () => describeReplicas(fact));
}

function describeSaving(fact: OutboxFact): void {
  fact('publishes what a save emits, in sequence, and leaves nothing pending', async ({ bus, replica }) => {
    const one = await replica();
    await one.saveNew('c1', 'a', 'b');
    await bus.settled();
    expect(await spoken(bus)).toEqual(['a', 'b']);
    expect((await one.raw())!.pending).toEqual([]);
    const [event] = await published(bus);
    expect(event).toMatchObject({ source: 'monitoring', key: 'main/flights', time: 1000, topic: 'cycle.closed' });
  });

  fact('saves the same document again and again', async ({ bus, replica }) => {
    const one = await replica();
    const doc = new one.cycles({ _id: 'c1' });
    for (let n = 0; n < 150; n++) {
      doc.n = n;
      await one.outbox.save(doc, [closed(String(n))], because(`cause-${n}`));
    }
    await bus.settled();
    expect(await spoken(bus)).toEqual(numbered(150));
    expect(new Set((await published(bus)).map(({ id }) => id)).size).toBe(150);
    expect(await one.raw()).toMatchObject({ n: 149, pending: [] });
    expect(doc.toObject()).not.toHaveProperty('pending');
  });

  fact(
    'saves a document that has been read, without loading or losing what is pending',
    async ({ bus, gate, replica }) => {
      const one = await replica();
      gate.away = true;
      await one.saveNew('c1', 'a');
      const doc = (await one.cycles.findById('c1'))!;
      expect(doc.toObject()).not.toHaveProperty('pending');
      doc.state = 'ended';
      await one.outbox.save(doc, [closed('b')], because('later'));
      doc.n = 5;
      await one.outbox.save(doc, [], because('last'));
      gate.away = false;
      await bus.settled();
      expect(await spoken(bus)).toEqual(['a', 'b']);
      expect(await one.raw()).toMatchObject({ state: 'ended', n: 5 });
    },
  );

  fact('refuses a document that somebody else has changed, and emits nothing', async ({ bus, replica }) => {
    const one = await replica();
    await one.saveNew('c1');
    const [mine, yours] = [(await one.cycles.findById('c1'))!, (await one.cycles.findById('c1'))!];
    mine.state = 'mine';
    yours.state = 'yours';
    await one.outbox.save(mine, [closed('mine')], because('x'));
    const refusal = await one.outbox.save(yours, [closed('yours')], because('y')).catch((error) => error);
    expect(refusal).toMatchObject({ code: 'DOCUMENT_MOVED' });
    expect(isRetriable(refusal)).toBe(true);
    await bus.settled();
    expect(await spoken(bus)).toEqual(['mine']);
    expect((await one.raw())!.state).toBe('mine');
  });

  fact('refuses a new document whose _id is taken, and emits nothing', async ({ bus, replica }) => {
    const one = await replica();
    await one.saveNew('c1', 'a');
    await expect(one.saveNew('c1', 'b')).rejects.toMatchObject({ code: 11000 });
    await bus.settled();
    expect(await spoken(bus)).toEqual(['a']);
  });

  fact('says that a document is gone', async ({ replica }) => {
    const one = await replica();
    const doc = await one.saveNew('c1');
    await one.cycles.deleteOne({ _id: 'c1' });
    doc.state = 'ended';
    await expect(one.outbox.save(doc, [closed('a')], because('x'))).rejects.toMatchObject({ code: 'DOCUMENT_GONE' });
  });

  fact('updates by compare-and-set together with the events, or does nothing', async ({ bus, replica }) => {
    const one = await replica();
    await one.saveNew('c1');
    const move = (filter: Record<string, unknown>) =>
      one.outbox.update(one.cycles, filter, { $set: { state: 'ended' } }, [closed('x')], because('move'));
    const moves = await Promise.all([1, 2, 3].map(() => move({ _id: 'c1', state: 'open' })));
    expect(moves.filter(Boolean).map((doc) => doc!.state)).toEqual(['ended']);
    expect(await move({ state: 'open' })).toBeNull();
    await one.saveNew('c2');
    expect((await move({ state: 'open' }))!._id).toBe('c2');
    await bus.settled();
    expect((await spoken(bus)).length).toBe(2);
  });

  fact('refuses an event that another service speaks, and a schema that cannot emit', async ({ replica }) => {
    const one = await replica();
    const doc = new one.cycles({ _id: 'c1' });
    const strange = { definition: events.modelTrained as AnyEvent, payload: {}, time: 1 };
    await expect(one.outbox.save(doc, [strange], because('x'))).rejects.toMatchObject({ code: 'OUTBOX_WRONG_SPEAKER' });
    expect(await one.raw()).toBeNull();
    const Mute = one.connection.model(fresh(), new mongoose.Schema({ _id: String }));
    const mute = one.outbox.save(new Mute({ _id: 'm' }), [closed('a')], because('x'));
    await expect(mute).rejects.toMatchObject({ code: 'OUTBOX_NOT_OUTBOXED' });
  });
}

function describeRelaying(fact: OutboxFact): void {
  fact(
    'keeps events while the bus is away, refuses past the limit, and sends all when it is back',
    async ({ bus, gate, replica }) => {
      const one = await replica();
      gate.away = true;
      const doc = new one.cycles({ _id: 'c1' });
      for (let n = 0; n < 100; n++) {
        doc.n = n;
        await one.outbox.save(doc, [closed(String(n))], because(`cause-${n}`));
      }
      doc.n = 100;
      const refusal = await one.outbox.save(doc, [closed('100')], because('full')).catch((error) => error);
      expect(refusal).toMatchObject({ code: 'OUTBOX_FULL', retriable: true });
      const update = one.outbox.update(
        one.cycles,
        { _id: 'c1' },
        { $set: { n: 100 } },
        [closed('100')],
        because('full'),
      );
      await expect(update).rejects.toMatchObject({ code: 'OUTBOX_FULL' });
      expect((await one.raw())!.n).toBe(99);
      gate.away = false;
      await bus.settled();
      expect(await spoken(bus)).toEqual(numbered(100));
      await one.outbox.save(doc, [closed('100')], because('again'));
      await bus.settled();
      expect((await spoken(bus)).at(-1)).toBe('100');
    },
  );

  fact('does not delete or replace a document with unsent events', async ({ bus, gate, replica }) => {
    const one = await replica();
    gate.away = true;
    const doc = await one.saveNew('c1', 'a');
    await one.saveNew('c2');
    const refused = { code: 'DOCUMENT_PENDING', retriable: true };
    await expect(one.cycles.deleteOne({ _id: 'c1' })).rejects.toMatchObject(refused);
    await expect(one.cycles.findOneAndDelete({ _id: 'c1' })).rejects.toMatchObject(refused);
    await expect(doc.deleteOne()).rejects.toMatchObject(refused);
    await expect(one.cycles.deleteMany({ state: 'open' })).rejects.toMatchObject(refused);
    await expect(one.cycles.replaceOne({ _id: 'c1' }, { state: 'x' })).rejects.toThrow('unsent events');
    expect(await one.raw('c1')).not.toBeNull();
    expect(await one.raw('c2')).toBeNull();
    gate.away = false;
    await bus.settled();
    expect(await one.cycles.deleteOne({ _id: 'c1' })).toMatchObject({ deletedCount: 1 });
    expect(await one.cycles.deleteOne({ _id: 'c1' })).toMatchObject({ deletedCount: 0 });
  });

  fact('holds the bus until everything is sent', async ({ bus, gate, replica }) => {
    const one = await replica();
    gate.away = true;
    await one.saveNew('c1', 'a');
    let settled = false;
    const waiting = bus.settled().then(() => {
      settled = true;
    });
    const { attempts } = gate;
    while (gate.attempts < attempts + 3) await new Promise((resolve) => setTimeout(resolve, 2));
    expect(settled).toBe(false);
    gate.away = false;
    await waiting;
    expect(await spoken(bus)).toEqual(['a']);
  });

  fact('does not let one event that the bus refuses hold up other documents', async ({ bus, replica }) => {
    const one = await replica();
    const { publish } = bus;
    bus.publish = (all) =>
      all.some(({ data }) => (data as { cycleId: string }).cycleId === 'poison')
        ? Promise.reject(new Error('refused'))
        : publish.call(bus, all);
    await Promise.all([one.saveNew('c1', 'a'), one.saveNew('c2', 'poison'), one.saveNew('c3', 'b')]);
    while ((await spoken(bus)).length < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    expect((await spoken(bus)).sort()).toEqual(['a', 'b']);
    expect((await one.raw('c2'))!.pending.length).toBe(1);
  });

  fact('sends what is left when it closes, and refuses to save after', async ({ bus, replica }) => {
    const one = await replica();
    const doc = await one.saveNew('c1', 'a');
    await one.outbox.close();
    expect(await spoken(bus)).toEqual(['a']);
    await expect(one.outbox.save(doc, [], because('x'))).rejects.toMatchObject({ code: 'OUTBOX_CLOSED' });
  });
}
