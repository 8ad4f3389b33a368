// A process that the crash specs kill: it saves documents, with events or without, and says what is durable.
// `node crashing.ts FILE documents|outbox`
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus } from '@driftloop/bus';
import { events } from '@driftloop/contracts';
import mongoose from 'mongoose';
import { emission, MongooseOutbox, openEmbedded, outboxed } from '../index.js';

const [path, mode] = process.argv.slice(2);
const db = new DatabaseSync(path);
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
const connection = await openEmbedded(db, 'crash', { onScan: 'throw' });
const say = (line: string) => writeSync(1, `${line}\n`);

async function documents(): Promise<never> {
  const schema = new mongoose.Schema({ _id: Number, half: Number, sum: Number }).index({ half: 1 }, { unique: true });
  const Row = connection.model('Row', schema);
  await Row.init();
  const [last] = await Row.find().sort({ _id: -1 }).limit(1).lean();
  for (let n = (last?._id ?? 0) + 1; ; n++) {
    await Row.create({ _id: n, half: n / 2, sum: n });
    await Row.updateOne({ _id: 1 }, { $inc: { sum: 1 }, $set: { seen: n } }, { strict: false });
    say(`saved ${n}`);
  }
}

async function outbox(): Promise<void> {
  const bus = EmbeddedBus.open(db);
  await bus.declare('cycle.closed', { partitions: 1, keep: '1d' });
  const box = new MongooseOutbox(connection, bus, 'monitoring');
  const Cycle = connection.model('Cycle', new mongoose.Schema({ _id: String, n: Number }).plugin(outboxed));
  await Cycle.init();
  // the failpoint: the first publishing tells the parent, and waits to be killed, before or after the bus has the events
  const publish = bus.publish.bind(bus);
  bus.publish = async (all) => {
    if (process.env.FAIL === 'after') await publish(all);
    say(`killed ${all.map(({ id }) => id).join(',')}`);
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  };
  const payload = (cycleId: string) =>
    events.cycleClosed.payload.fromPartial({ tenant: 'main', model: 'flights', cycleId });
  const emissions = ['a', 'b'].map((id) => emission(events.cycleClosed, payload(id), 1000));
  await box.save(new Cycle({ _id: 'c1', n: 1 }), emissions, { id: 'because', time: 1000, tenant: 'main' });
  say('saved');
}

await (mode === 'outbox' ? outbox() : documents());
