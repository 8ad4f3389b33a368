/** What the brokers keep of a topic: its partitions, retention and compaction are those of the event map. */
import { describeOn } from '@driftloop/testing/servers';
import kafkajs, { type Admin } from 'kafkajs';
import { type KafkaGround, kafkaGround } from '../testing/kafka-ground.js';

const day = 86_400_000;

describeOn(['kafka'], 'topics at the brokers', ({ kafka: { brokers } }) => {
  let ground: KafkaGround;
  let admin: Admin;
  beforeAll(async () => {
    ground = await kafkaGround(brokers);
    admin = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterAll(async () => {
    await admin.disconnect();
    await ground.close();
  });

  /** What the broker says of itself, not what was asked for. */
  async function kept(topic: string): Promise<Record<string, string>> {
    const name = `${ground.namespace}.${topic}`;
    const configNames = ['cleanup.policy', 'retention.ms', 'message.timestamp.type', 'max.message.bytes'];
    const type = kafkajs.ConfigResourceTypes.TOPIC;
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type, name, configNames }],
    });
    const entries = resources[0].configEntries.map(({ configName, configValue }) => [configName, configValue]);
    return Object.fromEntries(entries);
  }

  it('deletes what is older than the event map keeps it, by the time at which the broker took it', async () => {
    await ground.bus.declare('aging', { partitions: 3, keep: '7d' });
    const { topics } = await admin.fetchTopicMetadata({ topics: [`${ground.namespace}.aging`] });
    expect(topics[0].partitions).toHaveLength(3);
    expect(await kept('aging')).toEqual({
      'cleanup.policy': 'delete',
      'retention.ms': String(7 * day),
      'message.timestamp.type': 'LogAppendTime',
      'max.message.bytes': String(16 * 1024 * 1024),
    });
  });

  it('compacts where the event map says so', async () => {
    await ground.bus.declare('states', { partitions: 1, keep: 'compact' });
    expect(await kept('states')).toMatchObject({ 'cleanup.policy': 'compact' });
  });

  it('brings a topic that is there already up to date, and leaves its partitions', async () => {
    await ground.bus.declare('changed', { partitions: 1, keep: '7d' });
    await (await ground.another('two')).declare('changed', { partitions: 1, keep: '30d' });
    expect(await kept('changed')).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': String(30 * day) });
    await (await ground.another('three')).declare('changed', { partitions: 1, keep: 'compact' });
    expect(await kept('changed')).toMatchObject({ 'cleanup.policy': 'compact' });
    const other = (await ground.another('four')).declare('changed', { partitions: 2, keep: 'compact' });
    await expect(other).rejects.toMatchObject({ code: 'BUS_TOPIC_CONFLICT' });
  });
});
