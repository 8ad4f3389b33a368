/** Whose groups are whose at the brokers: the house's, product teams' with any Kafka client, and other houses'. */
import { randomUUID } from 'node:crypto';
import { describeOn } from '@driftloop/testing/servers';
import type { Consumer, Kafka } from 'kafkajs';
import { removeNamespace } from './kafka/namespace.js';
import { kafkaOf } from './kafka/wire.js';
import { KafkaBus } from './kafka.js';
import { until } from './testing/scene.js';

const event = (topic: string, id: string) => ({
  ...{ id, topic, key: id, time: 1_362_000_000_000, source: 'labeling', data: { id } },
});

/** A product team's consumer, which commits what it has heard and leaves. */
async function teamHears(kafka: Kafka, group: string, topics: string[], count: number): Promise<void> {
  const consumer: Consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 100 });
  let heard = 0;
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async () => void heard++ });
  await until('the team has heard', () => heard >= count);
  await consumer.disconnect();
}

describeOn(['kafka'], 'groups at brokers that are shared', ({ kafka: { brokers } }) => {
  const kafka = kafkaOf({ brokers }, 'a-team');
  const id = randomUUID().slice(0, 13);
  const [news, theirs, own, team] = [`news-${id}`, `theirs-${id}`, `labeling.own-${id}`, `labeling.team-${id}`];
  const namespace = `house-${id}`;
  let buses: KafkaBus[];

  /** A house with a group that has heard one event of two, and a team's that has heard both, beside another topic. */
  async function furnish(bus: KafkaBus, before: string): Promise<void> {
    await bus.declare(news, { partitions: 1, keep: '1d' });
    const member = await bus.subscribe({ group: own, topics: [news], handle: async () => undefined });
    await bus.publish([event(news, 'a')]);
    await until('it is handled', async () => (await bus.lag()).some(({ group, lag }) => group === own && lag === 0));
    await member.close();
    await bus.publish([event(news, 'b')]);
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: before + theirs, messages: [{ key: 'k', value: 'nothing of ours' }] });
    await producer.disconnect();
    await teamHears(kafka, before + team, [before + news, before + theirs], 3);
  }

  beforeAll(async () => {
    const open = (namespace: string) =>
      KafkaBus.open({ servers: { brokers }, name: 'one', namespace, sessionMs: 6000 });
    buses = [await open(''), await open(namespace)];
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [{ topic: theirs }, { topic: `${namespace}.${theirs}` }],
      waitForLeaders: true,
    });
    await admin.disconnect();
    await furnish(buses[0], '');
    await furnish(buses[1], `${namespace}.`);
  }, 60_000);
  afterAll(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
    await removeNamespace({ brokers }, namespace);
    const admin = kafka.admin();
    await admin.connect();
    await admin.deleteGroups([own, team]);
    await admin.deleteTopics({ topics: [news, theirs, `${own}.dead`] });
    await admin.disconnect();
  }, 30_000);

  const expected = [
    { group: own, topic: news, partition: 0, lag: 1 },
    { group: team, topic: news, partition: 0, lag: 0, foreign: true },
  ];

  it.each([0, 1])(
    "a team's is foreign whatever it is called, the house's is not when it has no member (%#)",
    async (which) => {
      const lags = await buses[which].lag();
      const found = lags.filter(({ group }) => group === own || group === team);
      expect(found.sort((a, b) => (a.group < b.group ? -1 : 1))).toEqual(expected);
    },
  );

  it('another house without a common name is neither', async () => {
    const [all, inNamespace] = await Promise.all(buses.map((bus) => bus.lag()));
    expect(all.filter(({ group }) => group.startsWith(namespace))).toEqual([]);
    expect(new Set(inNamespace.map(({ group }) => group))).toEqual(new Set([own, team]));
  });

  it("a process that has declared nothing sees the house's groups alone", async () => {
    const tool = await KafkaBus.open({ servers: { brokers }, name: 'tool', namespace });
    expect(await tool.lag().finally(() => tool.close())).toEqual([expected[0]]);
  });
});
