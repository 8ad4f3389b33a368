/** Members of one group in one process: who comes and goes does not bring down who stays. */
import { describeOn } from '@driftloop/testing/servers';
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

const event = (topic: string, i: number) => ({
  ...{ id: `e${i}`, topic, key: `k${i}`, time: 1_362_000_000_000 + i, source: 'spec' },
  data: {},
});
