/** Members of one group in one process: who comes and goes does not bring down who stays. */
import { describeOn } from '@driftloop/testing/servers';
import Broker from 'kafkajs/src/broker/index.js';
import type { Incident } from '../incident.js';
import { kafkaGround } from '../testing/kafka-ground.js';
import { until } from '../testing/scene.js';

const pairs = 16;

describeOn(['kafka'], 'members of one group in one process', ({ kafka: { brokers } }) => {
  it('come and go, and nobody has to be replaced', async () => {
    const incidents: Incident[] = [];
    const report = (incident: Incident) => void incidents.push(incident);
    const ground = await kafkaGround(brokers, { sessionMs: 30_000, report });
    try {
      const { bus } = ground;
      const together = async (pair: number) => {
        const topic = `topic-${pair}`;
        await bus.declare(topic, { partitions: 2, keep: '1d' });
        const heard = new Set<string>();
        const handle = async ({ id }: { id: string }) => void heard.add(id);
        const join = () => bus.subscribe({ group: `pair-${pair}`, topics: [topic], handle });
        const [staying, other] = [await join(), await join()];
        for (let said = 0; said < 20; said++) {
          await bus.publish([event(topic, said)]);
          await until('it was heard', () => heard.size > said);
        }
        await other.close();
        await staying.close();
      };
      await Promise.all(Array.from({ length: pairs }, (_, pair) => together(pair)));
      expect(incidents).toEqual([]);
    } finally {
      await ground.close();
    }
  });
});

describeOn(['kafka'], 'a member whose broker starts anew', ({ kafka: { brokers } }) => {
  /** The next request of that kind fails as it does where the broker does not know groups yet. */
  function failOnce(request: 'heartbeat' | 'joinGroup', type: string): void {
    const { [request]: asked } = Broker.prototype;
    Broker.prototype[request] = () => {
      Broker.prototype[request] = asked;
      return Promise.reject(Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type, retriable: true }));
    };
  }

  it('is one again where joining anew fails, although the broker still knows it', async () => {
    const incidents: Incident[] = [];
    const ground = await kafkaGround(brokers, {
      sessionMs: 30_000,
      report: (incident) => void incidents.push(incident),
    });
    try {
      const { bus } = ground;
      await bus.declare('news', { partitions: 1, keep: '1d' });
      const heard: string[] = [];
      await bus.subscribe({ group: 'g', topics: ['news'], handle: async ({ id }) => void heard.push(id) });
      failOnce('joinGroup', 'GROUP_LOAD_IN_PROGRESS');
      failOnce('heartbeat', 'NOT_COORDINATOR_FOR_GROUP');
      await until('it was replaced', () => incidents.some(({ kind }) => kind === 'rejoined'));
      await bus.publish([event('news', 1)]);
      await bus.settled();
      expect(heard).toEqual(['e1']);
    } finally {
      await ground.close();
    }
  });
});

const event = (topic: string, i: number) => ({
  ...{ id: `e${i}`, topic, key: `k${i}`, time: 1_362_000_000_000 + i, source: 'spec' },
  data: {},
});
