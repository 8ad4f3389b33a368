/** What only a bus that several processes share has to hold: who hears what when one comes, and settled across all of them. */
import { setTimeout as pass } from 'node:timers/promises';
import { describeOn } from '@driftloop/testing/servers';
import type { HeardEvent, OutgoingEvent } from './bus.js';
import { kafkaOf } from './kafka/wire.js';
import { type KafkaGround, kafkaGround } from './testing/kafka-ground.js';
import { Gate, stillOpen, until } from './testing/scene.js';

const event = (topic: string, id: string): OutgoingEvent => ({
  ...{ id, topic, key: id, time: 1_362_000_000_000, source: 'labeling', data: { id } },
});

describeOn(['kafka'], 'processes of one house on Kafka', ({ kafka: { brokers } }) => {
  let ground: KafkaGround;
  beforeEach(async () => {
    ground = await kafkaGround(brokers);
    await ground.bus.declare('news', { partitions: 2, keep: '1d' });
  });
  afterEach(() => ground.close());

  it('is settled for one process when another has heard everything and nobody holds it there', async () => {
    const other = await ground.another('two');
    const gate = new Gate();
    await other.subscribe({ group: 'g', topics: ['news'], handle: () => gate.passed });
    await ground.bus.publish([event('news', 'a')]);
    const settled = ground.bus.settled();
    expect(await stillOpen(settled, 500)).toBe(true);
    const hold = other.hold('an outbox of the other process');
    gate.open();
    expect(await stillOpen(settled, 500)).toBe(true);
    while (!(await ground.bus.awaited()).includes('an outbox of the other process')) await pass(10);
    expect(await stillOpen(settled, 50)).toBe(true);
    hold.release();
    await settled;
  });

  it('gives partitions to a process that comes, and nothing is heard twice while handlers run', async () => {
    const other = await ground.another('two');
    const heard: string[] = [];
    const handle = async ({ id }: HeardEvent) => {
      await pass(20);
      heard.push(id);
    };
    const members = [await ground.bus.subscribe({ group: 'g', topics: ['news'], handle })];
    const ids = Array.from({ length: 200 }, (_, i) => `e${i}`);
    await ground.bus.publish(ids.map((id) => event('news', id)));
    await until('some were heard', () => heard.length > 10);
    members.push(await other.subscribe({ group: 'g', topics: ['news'], handle }));
    await ground.bus.settled();
    expect([...heard].sort()).toEqual([...ids].sort());
  });

  it('goes on with what a process that left had not handled', async () => {
    const other = await ground.another('two');
    const gate = new Gate();
    const leaving = await other.subscribe({ group: 'g', topics: ['news'], handle: () => gate.passed });
    await ground.bus.publish(Array.from({ length: 20 }, (_, i) => event('news', `e${i}`)));
    const heard: string[] = [];
    const closing = pass(300).then(() => {
      gate.open();
      return leaving.close();
    });
    const handle = async ({ id }: HeardEvent) => void heard.push(id);
    await ground.bus.subscribe({ group: 'g', topics: ['news'], handle });
    await closing;
    await ground.bus.settled(['g']);
    const lag = (await ground.bus.lag()).filter(({ group }) => group === 'g');
    expect(lag.reduce((sum, { lag: behind }) => sum + behind, 0)).toBe(0);
    expect(new Set(heard).size).toBe(heard.length);
  });

  it('buries a record that is no event, with what it says, and goes on', async () => {
    const heard: string[] = [];
    const handle = async ({ id }: HeardEvent) => void heard.push(id);
    await ground.bus.subscribe({ group: 'g', topics: ['news'], handle });
    const producer = kafkaOf({ brokers }, 'outsider').producer();
    await producer.connect();
    await producer.send({ topic: `${ground.namespace}.news`, messages: [{ key: 'k', value: 'half a js' }] });
    await producer.disconnect();
    await ground.bus.publish([event('news', 'good')]);
    await ground.bus.settled();
    expect(heard).toEqual(['good']);
    const error = { code: 'CLOUD_EVENT_INVALID' };
    expect(await ground.bus.dead('g')).toMatchObject([{ topic: 'news', key: 'k', data: 'half a js', error }]);
  });

  it('lets processes that begin at the same moment make the same topics', async () => {
    const topics = Array.from({ length: 12 }, (_, i) => `made-${i}`);
    const begins = ['two', 'three', 'four', 'five'].map(async (name) => {
      const bus = await ground.another(name);
      for (const topic of topics) await bus.declare(topic, { partitions: 2, keep: '1d' });
      return Promise.all(topics.map((topic) => bus.ends(topic)));
    });
    for (const ends of await Promise.all(begins)) expect(ends).toEqual(topics.map(() => [0, 0]));
  });

  it('keeps houses apart that share brokers', async () => {
    const neighbour = await kafkaGround(brokers);
    try {
      await neighbour.bus.declare('news', { partitions: 2, keep: '1d' });
      await neighbour.bus.publish([event('news', 'theirs')]);
      const heard: string[] = [];
      const handle = async ({ id }: HeardEvent) => void heard.push(id);
      await ground.bus.subscribe({ group: 'g', topics: ['news'], handle });
      neighbour.bus.hold('for ever');
      await ground.bus.settled();
      expect(heard).toEqual([]);
    } finally {
      await neighbour.close();
    }
  });
});
