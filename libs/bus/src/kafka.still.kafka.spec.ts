/** A process that stands still is taken for dead, and does not know it when it goes on: nothing is lost, nothing hangs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as pass } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describeOn } from '@driftloop/testing/servers';
import type { Admin } from 'kafkajs';
import type { HeardEvent, OutgoingEvent } from './bus.js';
import { kafkaOf } from './kafka/wire.js';
import { type KafkaGround, kafkaGround } from './testing/kafka-ground.js';
import { until } from './testing/scene.js';

const program = fileURLToPath(new URL('./testing/standing-still.ts', import.meta.url));
const event = (id: string): OutgoingEvent => ({
  ...{ id, topic: 'news', key: id, time: 1_362_000_000_000, source: 'labeling', data: { id } },
});

describeOn(['kafka'], 'a process that stands still', ({ kafka: { brokers } }) => {
  let ground: KafkaGround;
  let child: ChildProcess | undefined;
  let said: string[];
  beforeEach(async () => {
    said = [];
    ground = await kafkaGround(brokers);
    await ground.bus.declare('news', { partitions: 1, keep: '1d' });
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await ground.close();
  });

  async function startChild(): Promise<ChildProcess> {
    const started = spawn(process.execPath, [program, brokers[0], ground.namespace], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: started.stdout }).on('line', (line) => said.push(line));
    child = started;
    await until('the child hears', () => said.includes('ready'));
    return started;
  }

  async function asking<T>(ask: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = kafkaOf({ brokers }, 'spec').admin();
    await admin.connect();
    return ask(admin).finally(() => admin.disconnect());
  }

  const members = () =>
    asking(async (admin) => {
      const { groups } = await admin.describeGroups([`${ground.namespace}.g`]);
      return groups[0].state === 'Stable' ? groups[0].members.length : 0;
    });

  it('goes on where the group has come meanwhile, and is settled', async () => {
    const heard: string[] = [];
    const handle = async ({ id }: HeardEvent) => void heard.push(id);
    const still = await startChild();
    await ground.bus.subscribe({ group: 'g', topics: ['news'], handle });
    await ground.bus.publish([event('before')]);
    await ground.bus.settled();
    expect([said, heard]).toEqual([['ready', 'handled before'], []]);
    still.kill('SIGSTOP');
    await pass(1000); // what it has asked the brokers for is answered by then, with nothing
    await ground.bus.publish([event('meanwhile')]);
    await until('another has the partition', () => heard.length > 0);
    await ground.bus.settled();
    still.kill('SIGCONT');
    for (let found = 0; found !== 2; found = await members());
    await ground.bus.settled(['g']);
    await ground.bus.publish([event('after')]);
    await ground.bus.settled();
    expect([said, heard]).toEqual([['ready', 'handled before', 'handled after'], ['meanwhile']]);
  }, 90_000);
});
