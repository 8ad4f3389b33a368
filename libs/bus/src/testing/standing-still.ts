/** The program that kafka.still.kafka.spec.ts stops and lets go: a process of the house that hears, and says what. */
import { writeSync } from 'node:fs';
import { KafkaBus } from '../kafka.js';

const [, , broker, namespace] = process.argv;
// Its name comes after the spec's own: of two partitions it is given the second, which is that of the topic.
const bus = await KafkaBus.open({ servers: { brokers: [broker] }, name: 'zz', namespace, sessionMs: 6000 });
await bus.subscribe({
  group: 'g',
  topics: ['news'],
  handle: async ({ id }) => void writeSync(1, `handled ${id}\n`),
});
writeSync(1, 'ready\n');
