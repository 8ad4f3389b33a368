/** The embedded bus beside another user of its SQLite handle. */
import { type EmbeddedGround, temporaryGround } from '../contract/embedded-ground.js';
import { until } from '../contract/scene.js';

describe('the embedded bus on a shared handle', () => {
  let ground: EmbeddedGround;
  const event = (n: number) => ({ id: `e${n}`, topic: 't', key: 'k', time: n, source: 'labeling', data: { n } });
  const length = async () => (await ground.bus.read('t', 0, 0, 1000)).length;

  beforeEach(async () => {
    ground = await temporaryGround({ retryDelayMs: 2 });
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

  it("settles after another's transaction has ended, since it could not commit its offsets before", async () => {
    let handled = 0;
    const handle = async () => {
      if (++handled === 1) ground.db.exec('BEGIN');
    };
    await ground.bus.subscribe({ group: 'g', topics: ['t'], handle });
    await ground.bus.publish([event(1)]);
    const settled = ground.bus.settled();
    setTimeout(() => ground.db.exec('COMMIT'), 50);
    await settled;
    expect(ground.db.prepare('SELECT committed FROM bus_offsets').get()).toEqual({ committed: 1 });
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
      expect(ground.db.prepare('SELECT committed FROM bus_offsets').get()).toEqual({ committed: n + 1 });
    }
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
