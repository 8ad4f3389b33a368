/** The embedded bus beside another user of its SQLite handle. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { HeardEvent } from '../bus.js';
import { type EmbeddedGround, temporaryGround } from '../testing/embedded-ground.js';
import { away, stillOpen, until } from '../testing/scene.js';

describe('the embedded bus on a shared handle', () => {
  let ground: EmbeddedGround;
  const incidents: unknown[] = [];
  const committed = () => ground.db.prepare('SELECT committed FROM bus_offsets').get()?.committed;
  const event = (n: number) => ({ id: `e${n}`, topic: 't', key: 'k', time: n, source: 'labeling', data: { n } });
  const length = async () => (await ground.bus.read('t', 0, 0, 1000)).length;

  beforeEach(async () => {
    incidents.length = 0;
    ground = await temporaryGround({ retryDelayMs: 2, report: (incident) => incidents.push(incident) });
    await ground.bus.declare('t', { partitions: 1, keep: '7d' });
  });
  afterEach(() => ground.close());

  it("waits for the end of another's transaction, so that their rollback takes nothing of ours", async () => {
    ground.db.exec('BEGIN');
    const publishing = ground.bus.publish([event(1)]);
    setTimeout(() => ground.db.exec('ROLLBACK'), 20);
    await publishing;
    expect(await length()).toBe(1);
  });

  it('refuses retriably where the transaction of another does not end', async () => {
    ground.db.exec('BEGIN');
    const refused = ground.bus.publish([event(1)]);
    await expect(refused).rejects.toMatchObject({ code: 'BUS_UNAVAILABLE', retriable: true });
    ground.db.exec('COMMIT');
    expect(await length()).toBe(0);
    await ground.bus.publish([event(2)]);
    expect((await ground.bus.read('t', 0, 0, 10)).map((e) => [e.id, e.offset])).toEqual([['e2', 0]]);
  });

  it("settles only after another's transaction has ended, since it cannot commit its offsets before", async () => {
    let handled = false;
    const handle = async () => {
      handled = true;
    };
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle });
    await ground.bus.publish([event(1)]);
    while (!handled) await new Promise(setImmediate);
    ground.db.exec('BEGIN');
    const settled = ground.bus.settled();
    expect(await stillOpen(settled, 60)).toBe(true);
    ground.db.exec('COMMIT');
    await settled;
    expect(committed()).toBe(1);
  });

  it('buries a poison event once the handle is free again, without calling its handler twice', async () => {
    let calls = 0;
    const handle = async () => {
      calls++;
      ground.db.exec('BEGIN');
      setTimeout(() => ground.db.exec('COMMIT'), 20);
      throw new Error('poison');
    };
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle });
    await ground.bus.publish([event(1)]);
    await ground.bus.settled();
    expect(await ground.bus.dead('g')).toHaveLength(1);
    expect(calls).toBe(1);
  });

  it('has made what it settled durable', async () => {
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle: async () => {} });
    for (let n = 0; n < 5; n++) {
      await ground.bus.publish([event(n)]);
      await ground.bus.settled();
      expect(committed()).toBe(n + 1);
    }
  });

  it('has made what a closed subscription handled durable', async () => {
    let handled = false;
    const handle = async () => {
      handled = true;
    };
    const subscription = await ground.bus.subscribe({ group: 'g', topics: ['t'], handle });
    await ground.bus.publish([event(1)]);
    while (!handled) await new Promise(setImmediate);
    await subscription.close();
    expect(committed()).toBe(1);
  });

  it('buries an event and moves past it in one transaction', async () => {
    const seen: unknown[] = [];
    await ground.close();
    ground = await temporaryGround({ report: () => seen.push(committed()) });
    await ground.bus.declare('t', { partitions: 1, keep: '7d' });
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle: () => Promise.reject(new Error('poison')) });
    await ground.bus.publish([event(1)]);
    await ground.bus.settled();
    expect(seen).toEqual([1]);
  });

  it('reports pauses, resumptions and dead letters', async () => {
    const handle = async ({ id, attempt }: HeardEvent) => {
      if (id === 'e1' && attempt < 3) throw away('DATABASE_AWAY');
      if (id === 'e2') throw new Error('poison');
    };
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle });
    await ground.bus.publish([event(1), event(2)]);
    await ground.bus.settled();
    const where = { group: 'g', topic: 't', partition: 0 };
    const reason = 'DATABASE_AWAY: the model store does not answer';
    expect(incidents).toEqual([
      { kind: 'paused', ...where, id: 'e1', reason, retryInMs: 2 },
      { kind: 'paused', ...where, id: 'e1', reason, retryInMs: 4 },
      { kind: 'resumed', ...where, id: 'e1', attempts: 3 },
      { kind: 'dead', ...where, id: 'e2', reason: 'Error: poison' },
    ]);
  });

  it('does not wait out the delay of a paused partition when it closes', async () => {
    await ground.close();
    ground = await temporaryGround({ retryDelayMs: 60_000 });
    await ground.bus.declare('t', { partitions: 1, keep: '7d' });
    const subscription = await ground.bus.subscribe({
      group: 'g',
      topics: ['t'],
      handle: () => Promise.reject(away()),
    });
    await ground.bus.publish([event(1)]);
    await until('it is paused', async () => (await ground.bus.lag())[0].paused !== undefined);
    const settled = ground.bus.settled();
    await subscription.close();
    await settled;
    expect((await ground.bus.lag())[0].paused).toBeUndefined();
  });

  it("calls handlers outside of the publisher's asynchronous context", async () => {
    const context = new AsyncLocalStorage<string>();
    const heard: unknown[] = [];
    const handle = async () => void heard.push(context.getStore());
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle });
    await context.run('the trace of a request', () => ground.bus.publish([event(1)]));
    await ground.bus.settled();
    expect(heard).toEqual([undefined]);
  });

  it('lets the event loop turn during a long backlog', async () => {
    const events = Array.from({ length: 2000 }, (_, n) => event(n));
    await ground.bus.publish(events);
    let turns = 0;
    const spin = () => {
      turns++;
      if (turns < 10_000) immediate = setImmediate(spin);
    };
    let immediate = setImmediate(spin);
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle: async () => {} });
    await ground.bus.settled();
    clearImmediate(immediate);
    expect(turns).toBeGreaterThan(50);
  });

  it('is unavailable, retriably, when the file was closed under it', async () => {
    ground.db.close();
    const unavailable = { code: 'BUS_UNAVAILABLE', retriable: true };
    await expect(ground.bus.publish([event(1)])).rejects.toMatchObject(unavailable);
    await expect(ground.bus.read('t', 0, 0, 1)).rejects.toMatchObject(unavailable);
    await expect(ground.bus.lag()).rejects.toMatchObject(unavailable);
    await ground.bus.close();
    ground.db.open();
  });

  it('parses an event once and shares it between groups', async () => {
    const heard: unknown[] = [];
    for (const group of ['a', 'b', 'c']) {
      await ground.bus.subscribe({ group, topics: ['t'], handle: async ({ data }) => void heard.push(data) });
    }
    await ground.bus.publish([event(1)]);
    await ground.bus.settled();
    expect(heard).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }]);
    expect(heard[1]).toBe(heard[0]);
    expect(heard[2]).toBe(heard[0]);
  });

  it('does not read SQLite again for a group that is caught up', async () => {
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle: async () => {} });
    await ground.bus.settled();
    const hold = ground.bus.hold('the event is taken away before it is heard');
    const publishing = ground.bus.publish([event(1)]);
    ground.db.exec("UPDATE bus_log SET data = 'no JSON'");
    await publishing;
    hold.release();
    await ground.bus.settled();
    expect(await ground.bus.dead('g')).toEqual([]);
  });

  it('catches up on a backlog greater than its tail, in order', async () => {
    const heard: number[] = [];
    const pad = 'x'.repeat(50_000);
    const gate = { open: false };
    const handle = async ({ offset }: { offset: number }) => {
      if (!gate.open) await until('the gate is open', () => gate.open);
      heard.push(offset);
    };
    await ground.bus.subscribe({ group: 'slow', topics: ['t'], handle });
    for (let n = 0; n < 300; n++) await ground.bus.publish([{ ...event(n), data: { n, pad } }]);
    gate.open = true;
    await ground.bus.settled();
    expect(heard).toEqual(Array.from({ length: 300 }, (_, i) => i));
  });

  it('says what it waits for', async () => {
    const hold = ground.bus.hold('the outbox of registry');
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle: () => Promise.reject(new Error('poison')) });
    await ground.bus.publish([event(1)]);
    expect(await ground.bus.awaited()).toEqual(['the outbox of registry', 'g t/0: 1 behind']);
    hold.release();
    await ground.bus.settled();
    expect(await ground.bus.awaited()).toEqual([]);
  });
});
