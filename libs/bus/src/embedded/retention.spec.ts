import { dayMs } from '@driftloop/contracts';
import type { OutgoingEvent } from '../bus.js';
import type { EmbeddedBusOptions } from '../embedded.js';
import { type EmbeddedGround, temporaryGround } from '../testing/embedded-ground.js';

const start = Date.UTC(2013, 0, 1);

describe('retention of the embedded bus', () => {
  let ground: EmbeddedGround;
  let now = start;
  const dropped: unknown[] = [];

  async function open(options: EmbeddedBusOptions = {}): Promise<void> {
    now = start;
    dropped.length = 0;
    const report: EmbeddedBusOptions['report'] = (incident) => dropped.push(incident);
    ground = await temporaryGround({ clock: () => now, report, ...options });
  }
  afterEach(() => ground.close());

  const event = (topic: string, n: number, key = 'k', pad = ''): OutgoingEvent => {
    return { id: `${topic}-${n}`, topic, key, time: n, source: 'serving', data: { n, pad } };
  };
  const publish = (topic: string, from: number, to: number, pad = '') =>
    ground.bus.publish(Array.from({ length: to - from }, (_, i) => event(topic, from + i, 'k', pad)));
  const offsets = async (topic: string) => (await ground.bus.read(topic, 0, 0, 10_000)).map((e) => e.offset);
  const listen = (topic: string, group = 'g') =>
    ground.bus.subscribe({ group, topics: [topic], handle: async () => {} });

  it('drops what is older than its days, and says so', async () => {
    await open();
    await ground.bus.declare('p', { partitions: 1, keep: '7d' });
    await listen('p');
    await publish('p', 0, 1200);
    now += 5 * dayMs;
    await publish('p', 1200, 1210);
    await ground.bus.settled();
    expect(await ground.bus.prune()).toBe(0);
    now += 2.5 * dayMs;
    expect(await ground.bus.prune()).toBe(1200);
    expect(await offsets('p')).toEqual(Array.from({ length: 10 }, (_, i) => 1200 + i));
    expect(dropped).toMatchObject([{ kind: 'dropped', topic: 'p', partition: 0, events: 1200 }]);
  });

  it('keeps what a known group has still to hear, also one that is away', async () => {
    await open();
    await ground.bus.declare('p', { partitions: 1, keep: '1d' });
    const away = await listen('p', 'away');
    await listen('p', 'here');
    await publish('p', 0, 3);
    await ground.bus.settled();
    await away.close();
    await publish('p', 3, 8);
    await ground.bus.settled();
    now += 2 * dayMs;
    expect(await ground.bus.prune()).toBe(3);
    expect(await offsets('p')).toEqual([3, 4, 5, 6, 7]);
  });

  it('stops waiting for a group that nobody joined for 30 days', async () => {
    await open();
    await ground.bus.declare('p', { partitions: 1, keep: '1d' });
    await (await listen('p', 'gone')).close();
    await publish('p', 0, 5);
    now += 29 * dayMs;
    expect(await ground.bus.prune()).toBe(0);
    now += 2 * dayMs;
    expect(await ground.bus.prune()).toBe(4);
    const heard: number[] = [];
    const handle = async ({ offset }: { offset: number }) => void heard.push(offset);
    await ground.bus.subscribe({ group: 'gone', topics: ['p'], handle });
    await ground.bus.settled();
    expect(heard).toEqual([4]);
  });

  it('counts on from the last offset when all but the last event is gone', async () => {
    await open();
    await ground.bus.declare('p', { partitions: 1, keep: '1d' });
    await publish('p', 0, 5);
    now += 2 * dayMs;
    await ground.bus.prune();
    await ground.reopen();
    await publish('p', 5, 6);
    expect(await offsets('p')).toEqual([4, 5]);
  });

  it('holds a topic within its bytes, of what all groups committed', async () => {
    await open({ retention: { largestTopicBytes: 1_000_000 } });
    await ground.bus.declare('p', { partitions: 1, keep: '7d' });
    await listen('p');
    const pad = 'x'.repeat(20_000);
    for (let i = 0; i < 1000; i += 50) await publish('p', i, i + 50, pad);
    await ground.bus.settled();
    await ground.bus.prune();
    const left = await offsets('p');
    expect(left.length).toBe(49);
    expect(left.at(-1)).toBe(999);
  });

  it('prunes by itself while a lot is published', async () => {
    await open({ retention: { largestTopicBytes: 1_000_000 } });
    await ground.bus.declare('p', { partitions: 1, keep: '7d' });
    await listen('p');
    const pad = 'x'.repeat(100_000);
    for (let i = 0; i < 400; i += 10) {
      await publish('p', i, i + 10, pad);
      await ground.bus.settled();
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await offsets('p')).length).toBeLessThan(250);
  });

  it('keeps the last event of each key of a compacted topic, whatever its age', async () => {
    await open({ retention: { largestTopicBytes: 1 } });
    await ground.bus.declare('state', { partitions: 1, keep: 'compact' });
    await listen('state');
    for (let n = 0; n < 1300; n++) await ground.bus.publish([event('state', n, `model-${n % 3}`)]);
    await ground.bus.settled();
    now += 400 * dayMs;
    expect(await ground.bus.prune()).toBe(1297);
    expect(await offsets('state')).toEqual([1297, 1298, 1299]);
    await ground.reopen();
    await ground.bus.publish([event('state', 1300, 'model-0')]);
    await listen('state', 'new');
    await listen('state');
    await ground.bus.settled();
    expect(await ground.bus.prune()).toBe(1);
    expect(await offsets('state')).toEqual([1297, 1298, 1300]);
  });

  it('lets a group hear each state of a compacted topic that it has not heard', async () => {
    await open();
    await ground.bus.declare('state', { partitions: 1, keep: 'compact' });
    await (await listen('state')).close();
    for (let n = 0; n < 4; n++) await ground.bus.publish([event('state', n)]);
    expect(await ground.bus.prune()).toBe(0);
    expect(await offsets('state')).toEqual([0, 1, 2, 3]);
  });

  it('hears on across the gaps that compaction left', async () => {
    await open();
    await ground.bus.declare('state', { partitions: 1, keep: 'compact' });
    for (let n = 0; n < 600; n++) await ground.bus.publish([event('state', n, n % 200 === 0 ? `rare-${n}` : 'often')]);
    await ground.bus.prune();
    const heard: number[] = [];
    const handle = async ({ offset }: { offset: number }) => void heard.push(offset);
    await ground.bus.subscribe({ group: 'late', topics: ['state'], handle });
    await ground.bus.settled();
    expect(heard).toEqual([0, 200, 400, 599]);
  });
});
