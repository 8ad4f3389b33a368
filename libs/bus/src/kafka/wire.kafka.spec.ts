/** Connections of the bus's own questions: as many as are used, and none is left open. */
import { randomUUID } from 'node:crypto';
import { type Socket, connect as tcp } from 'node:net';
import { describeOn } from '@driftloop/testing/servers';
import kafkajs from 'kafkajs';
import { until } from '../testing/scene.js';
import { Wire } from './wire.js';

describeOn(['kafka'], 'the wire to the brokers', ({ kafka: { brokers } }) => {
  const topic = `wire-${randomUUID().slice(0, 13)}`;
  const sockets: Socket[] = [];
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = tcp({ host, port }, onConnect);
      sockets.push(socket);
      return socket;
    },
  });
  const open = () => sockets.filter(({ destroyed }) => !destroyed).length;

  it('is gone when it is closed, though fetches had begun at the same time', async () => {
    const wire = await Wire.open(kafka);
    await wire.admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
    const before = sockets.length;
    const fetches = [0, 1, 0, 1].map((partition) => wire.fetch(topic, partition, 0, 1024));
    expect(await Promise.all(fetches)).toEqual([[], [], [], []]);
    // One for requests, as kafkajs keeps fetches apart, and one for these.
    expect(sockets.length - before).toBeLessThanOrEqual(2);
    await wire.admin.deleteTopics({ topics: [topic] });
    await wire.close();
    await until('every connection is closed', () => open() === 0);
  });
});
