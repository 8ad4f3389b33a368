/**
 * What the outbox costs a document: writes that carry an event against the same writes without, through the same outbox, in
 * the same run and in turns; on the embedded driver and, where MONGODB_URI names one, on mongod. `write` is until the caller
 * goes on, `sent` until the event is in the log and pulled from its document; `byHand` is the write and then a publication
 * without an outbox, which a crash between would lose. The log is the embedded one in both. Prints JSON: microseconds a
 * document (medians of rounds) and the median of the rounds' ratios to the bare write.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/outbox.js [documents]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus, type OutgoingEvent } from '@driftloop/bus';
import { events, ModelPromoted } from '@driftloop/contracts';
import { emission, MongooseOutbox, openEmbedded, openMongod, outboxed } from '@driftloop/documents';

const count = Number(process.argv[2] ?? 1000);
const rounds = 7;
const time = 1_362_000_000_000;
const kinds = ['insert', 'update'] as const;

type Connection = Awaited<ReturnType<typeof openEmbedded>>;
/** Microseconds a document. */
interface Took {
  write: number;
  sent: number;
}

/** How an event goes out with a write. */
type Way = 'bare' | 'outbox' | 'byHand';

const { topic, partitions, keep, payload } = events.modelPromoted;
const promoted = (i: number) => ModelPromoted.fromPartial({ tenant: 'main', model: `m${i}`, version: 'v2' });
const told = (i: number) => emission(events.modelPromoted, promoted(i), time);
const published = (i: number, id: string): OutgoingEvent => ({
  ...{ id, topic, key: `main/m${i}`, time, source: 'registry' },
  data: payload.toJSON(promoted(i)),
});

function modelOf(connection: Connection) {
  const schema = new connection.base.Schema({ _id: String, model: String, stage: String, revision: Number });
  schema.plugin(outboxed);
  return connection.model('Rollout', schema);
}

/** One connection's writes; each turn has documents of its own. */
class Subject {
  private turn = 0;
  private readonly model;

  constructor(
    connection: Connection,
    private readonly outbox: MongooseOutbox,
    private readonly bus: EmbeddedBus,
  ) {
    this.model = modelOf(connection);
  }

  /** The index of what waits is made, as a service's start does. */
  ready(): Promise<unknown> {
    return this.model.init();
  }

  /** Inserts, then changes each document, as one caller does. */
  async round(way: Way): Promise<Record<(typeof kinds)[number], Took>> {
    const turn = this.turn++;
    const docs = Array.from({ length: count }, (_, i) => {
      return new this.model({ _id: `${turn}-${i}`, model: `m${i}`, stage: 'shadow', revision: 1 });
    });
    const save = (cause: string) =>
      this.timed(async (i) => {
        const id = `${cause}-${turn}-${i}`;
        await this.outbox.save(docs[i], way === 'outbox' ? [told(i)] : [], { id, time, tenant: 'main' });
        if (way === 'byHand') await this.bus.publish([published(i, id)]);
      });
    const insert = await save('made');
    for (const doc of docs) doc.set({ stage: 'canary', revision: 2 });
    return { insert, update: await save('moved') };
  }

  private async timed(write: (i: number) => Promise<void>): Promise<Took> {
    const start = performance.now();
    for (let i = 0; i < count; i++) await write(i);
    const written = performance.now();
    await this.outbox.drained();
    const each = (end: number) => ((end - start) * 1000) / count;
    return { write: each(written), sent: each(performance.now()) };
  }
}

const median = (of: readonly number[]) => [...of].sort((a, b) => a - b)[Math.floor(of.length / 2)];
const rounded = (x: number) => Number(x.toPrecision(3));

/** The ways take turns; the first turn of each warms up. */
async function compare(subject: Subject) {
  await subject.ready();
  const took: Record<Way, Awaited<ReturnType<Subject['round']>>[]> = { bare: [], outbox: [], byHand: [] };
  for (let round = -1; round < rounds; round++)
    for (const way of ['bare', 'outbox', 'byHand'] as const) {
      const one = await subject.round(way);
      if (round >= 0) took[way].push(one);
    }
  const of = (kind: (typeof kinds)[number]) => {
    const bareUs = median(took.bare.map((one) => one[kind].write));
    const against = (way: Way, until: keyof Took) => {
      const us = median(took[way].map((one) => one[kind][until]));
      const ratio = median(took[way].map((one, i) => one[kind][until] / took.bare[i][kind].write));
      return { us: rounded(us), overheadUs: rounded(us - bareUs), ratio: rounded(ratio) };
    };
    const [write, sent] = [against('outbox', 'write'), against('outbox', 'sent')];
    return { bareUs: rounded(bareUs), write, sent, byHand: against('byHand', 'write') };
  };
  return Object.fromEntries(kinds.map((kind) => [kind, of(kind)]));
}

async function measure(connection: Connection, bus: EmbeddedBus, exclusive: boolean) {
  const outbox = new MongooseOutbox(connection, bus, 'registry', { exclusive, owner: 'bench' });
  try {
    return await compare(new Subject(connection, outbox, bus));
  } finally {
    await outbox.close();
  }
}

/** Services beside each other, as in a cluster: documents are leased while their events are sent. */
async function onMongod(uri: string, bus: EmbeddedBus) {
  const connection = await openMongod(uri, `bench-outbox-${process.pid}`);
  try {
    return await measure(connection, bus, false);
  } finally {
    await connection.dropDatabase();
    await connection.close();
  }
}

const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-'));
const db = new DatabaseSync(join(folder, 'bench.db'));
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
const bus = EmbeddedBus.open(db);
await bus.declare(topic, { partitions, keep });
const connection = await openEmbedded(db, 'bench', { onScan: 'throw' });
const embedded = await measure(connection, bus, true);
const { MONGODB_URI: uri } = process.env;
const mongod = uri ? await onMongod(uri, bus) : 'MONGODB_URI names none';
console.log(JSON.stringify({ documents: count, embedded, mongod }, null, 2));
await connection.close();
await bus.close();
db.close();
await rm(folder, { recursive: true });
