/**
 * The embedded documents against bare node:sqlite with the same rows and indexes, in the same run and in turns. Prints
 * JSON: microseconds an operation (medians of rounds) and their ratio.
 *
 * `npx tsc -b bench && node_modules/.bin/node bench/dist/documents.js [documents]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openEmbedded } from '@driftloop/documents';

const count = Number(process.argv[2] ?? 5_000);
const rounds = 5;
const batch = 500;

/** A prediction as monitoring keeps it: about 55 numbers. */
interface Row {
  _id: string;
  cohort: string;
  entityId: string;
  at: Date;
  values: number[];
  version: number;
}

function rowOf(i: number): Row {
  const values = Array.from({ length: 55 }, (_, j) => Math.round(Math.sin(i + j) * 1e6) / 1e3);
  const at = new Date(1_362_000_000_000 + i * 60_000);
  return {
    _id: `prediction-${i}`,
    cohort: `day-${Math.floor(i / 300)}`,
    entityId: `flight-${i}`,
    at,
    values,
    version: 3,
  };
}

const rowsFrom = (from: number): Row[] => Array.from({ length: count }, (_, i) => rowOf(from + i));

/** The operations, for the documents and for bare SQLite alike; each does `count` of them. */
interface Contestant {
  insert(rows: Row[]): Promise<void>;
  findById(ids: string[]): Promise<void>;
  findByIndex(rows: Row[]): Promise<void>;
  update(ids: string[]): Promise<void>;
  findCohorts(cohorts: string[]): Promise<void>;
  remove(cohorts: string[]): Promise<void>;
}

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  return db;
}

/** The part of a model that is measured; Row's own types are not the point. */
type RowModel = ReturnType<typeof connection.model>;

function documents(model: RowModel): Contestant {
  return {
    async insert(rows) {
      for (let i = 0; i < rows.length; i += batch) await model.insertMany(rows.slice(i, i + batch), { lean: true });
    },
    async findById(ids) {
      for (const id of ids) await model.findById(id).lean();
    },
    async findByIndex(rows) {
      for (const { entityId, at } of rows) await model.findOne({ entityId, at }).lean();
    },
    async update(ids) {
      const options = { returnDocument: 'after', lean: true } as const;
      for (const id of ids) await model.findOneAndUpdate({ _id: id }, { $inc: { version: 1 } }, options);
    },
    async findCohorts(cohorts) {
      for (const cohort of cohorts) await model.find({ cohort }).lean();
    },
    async remove(cohorts) {
      for (const cohort of cohorts) await model.deleteMany({ cohort });
    },
  };
}

function bare(db: DatabaseSync): Contestant {
  db.exec(`CREATE TABLE rows (rid INTEGER PRIMARY KEY, id TEXT UNIQUE, cohort TEXT, entity TEXT, at INTEGER, body TEXT);
    CREATE INDEX by_cohort ON rows (cohort, at); CREATE UNIQUE INDEX by_entity ON rows (entity, at)`);
  const insert = db.prepare('INSERT INTO rows VALUES (NULL, ?, ?, ?, ?, ?)');
  const byId = db.prepare('SELECT body FROM rows WHERE id = ?');
  const byEntity = db.prepare('SELECT body FROM rows WHERE entity = ? AND at = ?');
  const byCohort = db.prepare('SELECT body FROM rows WHERE cohort = ?');
  const update = db.prepare('UPDATE rows SET body = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM rows WHERE cohort = ?');
  const parse = (found: unknown) => JSON.parse((found as { body: string }).body) as Row;
  return {
    async insert(rows) {
      for (let i = 0; i < rows.length; i += batch) {
        db.exec('BEGIN');
        for (const row of rows.slice(i, i + batch)) {
          insert.run(row._id, row.cohort, row.entityId, row.at.getTime(), JSON.stringify(row));
        }
        db.exec('COMMIT');
      }
    },
    async findById(ids) {
      for (const id of ids) parse(byId.get(id));
    },
    async findByIndex(rows) {
      for (const { entityId, at } of rows) parse(byEntity.get(entityId, at.getTime()));
    },
    async update(ids) {
      for (const id of ids) {
        const row = parse(byId.get(id));
        row.version++;
        update.run(JSON.stringify(row), id);
      }
    },
    async findCohorts(cohorts) {
      for (const cohort of cohorts) byCohort.all(cohort).forEach(parse);
    },
    async remove(cohorts) {
      for (const cohort of cohorts) remove.run(cohort);
    },
  };
}

type Times = Record<keyof Contestant, number[]>;

/** One round: microseconds a document of each operation. */
async function round(contestant: Contestant, from: number, times: Times): Promise<void> {
  const rows = rowsFrom(from);
  const ids = rows.map(({ _id }) => _id);
  const cohorts = [...new Set(rows.map(({ cohort }) => cohort))];
  const timed = async (name: keyof Contestant, work: () => Promise<void>) => {
    const start = performance.now();
    await work();
    times[name].push(((performance.now() - start) * 1000) / count);
  };
  await timed('insert', () => contestant.insert(rows));
  await timed('findById', () => contestant.findById(ids));
  await timed('findByIndex', () => contestant.findByIndex(rows));
  await timed('update', () => contestant.update(ids));
  await timed('findCohorts', () => contestant.findCohorts(cohorts));
  await timed('remove', () => contestant.remove(cohorts));
}

const noTimes = (): Times => ({ insert: [], findById: [], findByIndex: [], update: [], findCohorts: [], remove: [] });
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
const rounded = (value: number): number => Number(value.toPrecision(3));

const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-'));
const [plain, db] = [open(join(folder, 'bare.db')), open(join(folder, 'documents.db'))];
const connection = await openEmbedded(db, 'bench', { onScan: 'throw' });
const fields = { _id: String, cohort: String, entityId: String, at: Date, values: [Number], version: Number };
const schema = new connection.base.Schema(fields);
schema.index({ cohort: 1, at: 1 });
schema.index({ entityId: 1, at: 1 }, { unique: true });
const model = connection.model('Row', schema);
await model.init();
const [ours, theirs] = [documents(model as unknown as RowModel), bare(plain)];
const [ourTimes, theirTimes] = [noTimes(), noTimes()];
for (let turn = 0; turn < rounds; turn++) {
  await round(theirs, turn * count, theirTimes);
  await round(ours, turn * count, ourTimes);
}
const operations = (Object.keys(ourTimes) as (keyof Contestant)[]).map((name) => {
  const [documentsUs, bareUs] = [median(ourTimes[name]), median(theirTimes[name])];
  const ratio = rounded(documentsUs / bareUs);
  return [name, { documentsUs: rounded(documentsUs), bareUs: rounded(bareUs), ratio }];
});
console.log(JSON.stringify({ documents: count, perDocument: Object.fromEntries(operations) }, null, 2));
await connection.close();
db.close();
plain.close();
await rm(folder, { recursive: true });
