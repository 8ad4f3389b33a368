/** Facts about the log itself and the order in which it is heard: I1–I3 of the port. */
import { largestEvent } from '../checks.js';
import { type Fact, Gate, until, valueIn } from './scene.js';

export function describeOrder(fact: Fact): void {
  fact('hears the events of a key in the order of their publishing', async (scene) => {
    const topic = await scene.topic(3);
    const keys = ['JFK', 'LGA', 'EWR', 'HNL', 'SFO'];
    for (let i = 0; i < 40; i++) await scene.bus.publish(keys.map((key) => scene.event(topic, key, i)));
    const heard = await scene.listen(topic);
    await heard.count(200);
    for (const key of keys) {
      const values = heard.events.filter((event) => event.key === key).map(valueIn);
      expect(values).toEqual(Array.from({ length: 40 }, (_, i) => i));
    }
  });

  fact('keeps a key on one partition and counts offsets from 0 without gaps', async (scene) => {
    const topic = await scene.topic(2);
    for (let i = 0; i < 30; i++) await scene.say(topic, `flight-${i % 9}`, i);
    const parts = await Promise.all([0, 1].map((partition) => scene.bus.read(topic, partition, 0, 100)));
    expect(parts.map((events) => events.map((event) => event.offset))).toEqual(
      parts.map((events) => events.map((_, i) => i)),
    );
    expect(parts[0].length + parts[1].length).toBe(30);
    const [first, second] = parts.map((events) => new Set(events.map((event) => event.key)));
    expect([...first].filter((key) => second.has(key))).toEqual([]);
    expect(Math.min(first.size, second.size)).toBeGreaterThan(0);
  });

  fact('brings an event back as it was published', async (scene) => {
    const topic = await scene.topic();
    const data = { text: 'Zürich ✈ \u0000 "quoted"', none: null, list: [1.5, -0.25, 1e300], deep: { yes: true } };
    const event = {
      ...scene.event(topic, 'tenant/model', 0),
      data,
      time: 1_388_534_399_999,
      traceparent: '00-ab-cd-01',
    };
    await scene.bus.publish([event]);
    const heard = await scene.listen(topic);
    await heard.count(1);
    expect(heard.events).toEqual([{ ...event, partition: 0, offset: 0, attempt: 1 }]);
    expect(await scene.bus.read(topic, 0, 0, 10)).toEqual(heard.events);
  });

  fact('hears one event of a partition at a time, and partitions side by side', async (scene) => {
    const topic = await scene.topic(2);
    for (let i = 0; i < 20; i++) await scene.say(topic, `key-${i}`, i);
    const running = new Map<number, number>();
    let most = 0;
    const handle = async ({ partition }: { partition: number }) => {
      running.set(partition, (running.get(partition) ?? 0) + 1);
      most = Math.max(most, running.get(partition) ?? 0);
      if (heardBoth === undefined) await until('both partitions were heard at once', () => running.size === 2);
      heardBoth = true;
      running.set(partition, (running.get(partition) ?? 0) - 1);
    };
    let heardBoth: boolean | undefined;
    const heard = await scene.listen(topic, { handle });
    await heard.count(20);
    expect({ most, heardBoth }).toEqual({ most: 1, heardBoth: true });
  });

  fact('tells every group everything, and a slow one does not hold another back', async (scene) => {
    const topic = await scene.topic();
    const gate = new Gate();
    const slow = await scene.listen(topic, { handle: () => gate.passed });
    const quick = await scene.listen(topic);
    await scene.say(topic, 'k', 1, 2, 3);
    await quick.count(3);
    expect(slow.values()).toEqual([]);
    gate.open();
    await slow.count(3);
    expect(slow.values()).toEqual(quick.values());
  });

  fact('hears several topics in one group', async (scene) => {
    const topics = [await scene.topic(), await scene.topic()];
    const heard = await scene.listen(topics);
    for (const topic of topics) await scene.say(topic, 'k', topic);
    await heard.count(2);
    expect(heard.events.map((event) => event.topic).sort()).toEqual([...topics].sort());
  });

  fact('reads retained events from an offset on, at most so many', async (scene) => {
    const topic = await scene.topic();
    await scene.say(topic, 'k', 'a', 'b', 'c', 'd', 'e');
    expect((await scene.bus.read(topic, 0, 1, 3)).map(valueIn)).toEqual(['b', 'c', 'd']);
    expect(await scene.bus.read(topic, 0, 5, 3)).toEqual([]);
  });

  fact('publishes all events of a call or none', async (scene) => {
    const topic = await scene.topic();
    const tooLarge = scene.event(topic, 'k', 'x'.repeat(largestEvent));
    const publishing = scene.bus.publish([scene.event(topic, 'k', 'small'), tooLarge]);
    await expect(publishing).rejects.toMatchObject({ code: 'BUS_EVENT_TOO_LARGE', retriable: false });
    expect(await scene.bus.read(topic, 0, 0, 10)).toEqual([]);
  });

  fact('carries events of just under 1 MiB', async (scene) => {
    const topic = await scene.topic();
    const heard = await scene.listen(topic);
    const value = 'é'.repeat(largestEvent / 2 - 20);
    await scene.say(topic, 'k', value);
    await heard.count(1);
    expect(heard.values()).toEqual([value]);
  });

  fact('refuses what is no event, and topics that nobody declared', async (scene) => {
    const topic = await scene.topic();
    const good = scene.event(topic, 'k', 1);
    const refused = (event: object) => expect(scene.bus.publish([{ ...good, ...event }])).rejects;
    await refused({ time: Number.NaN }).toMatchObject({ code: 'BUS_EVENT_INVALID', details: { path: 'time' } });
    await refused({ id: '' }).toMatchObject({ code: 'BUS_EVENT_INVALID', details: { path: 'id' } });
    await refused({ data: undefined }).toMatchObject({ code: 'BUS_EVENT_INVALID', details: { path: 'data' } });
    const unknown = scene.name('nowhere');
    await refused({ topic: unknown }).toMatchObject({ code: 'BUS_TOPIC_UNKNOWN', details: { topic: unknown } });
    await expect(scene.listen(unknown)).rejects.toMatchObject({ code: 'BUS_TOPIC_UNKNOWN' });
    await scene.bus.publish([good]);
  });

  fact('declares a topic again, but not with other partitions', async (scene) => {
    const topic = await scene.topic(2);
    await scene.bus.declare(topic, { partitions: 2, keep: '1d' });
    const other = scene.bus.declare(topic, { partitions: 3, keep: '7d' });
    await expect(other).rejects.toMatchObject({ code: 'BUS_TOPIC_CONFLICT', details: { expected: 3, found: 2 } });
    const none = scene.bus.declare(scene.name('topic'), { partitions: 0, keep: '7d' });
    await expect(none).rejects.toMatchObject({ code: 'BUS_TOPIC_INVALID', details: { path: 'partitions' } });
  });
}
