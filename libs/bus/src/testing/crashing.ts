/** The program that embedded.crash.spec.ts kills: it publishes and handles without end, a row before each offset. */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pass } from 'node:timers/promises';
import { EmbeddedBus } from '../index.js';

const db = new DatabaseSync(process.argv[2]);
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
db.exec('CREATE TABLE IF NOT EXISTS seen (n INTEGER, partition INTEGER, offset INTEGER)');
const bus = EmbeddedBus.open(db);
await bus.declare('said', { partitions: 2, keep: '7d' });
const insert = db.prepare('INSERT INTO seen VALUES (?, ?, ?)');
const known = [...(await bus.read('said', 0, 0, 1e6)), ...(await bus.read('said', 1, 0, 1e6))];
let n = Math.max(-1, ...known.map(({ data }) => (data as { n: number }).n)) + 1;

await bus.subscribe({
  group: 'crash.when-said',
  topics: ['said'],
  handle: async ({ data, partition, offset }) => {
    const { n } = data as { n: number };
    await new Promise((resolve) => setImmediate(resolve));
    insert.run(n, partition, offset);
    writeSync(1, `handled ${n}\n`);
  },
});
for (; ; n += 10) {
  const events = Array.from({ length: 10 }, (_, i) => ({
    id: `e${n + i}`,
    topic: 'said',
    key: `k${(n + i) % 7}`,
    time: n + i,
    source: 'labeling',
    data: { n: n + i },
  }));
  await bus.publish(events);
  writeSync(1, `published ${n + 9}\n`);
  await pass(1);
}
