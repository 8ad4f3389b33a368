/** What only the embedded documents promise: indexes that are used, refusals by name, one file for several databases. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import mongoose, { Schema } from 'mongoose';
import { plain } from './codec.js';
import { Store } from './database.js';
import { type EmbeddedOptions, openEmbedded } from './open.js';
import { plan } from './plan.js';
import { tableOf } from './tables.js';

const strict: EmbeddedOptions = { onScan: 'throw' };

async function open(options = strict, db = new DatabaseSync(':memory:')) {
  const connection = await openEmbedded(db, 'driver', options);
  return { db, connection, rows: connection.collection('rows') };
}

const many = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ _id: `r${n}`, n, g: n % 10, d: new Date(n) }));

/** How SQLite says that it will answer a filter. */
function explained(db: DatabaseSync, filter: object, sort: [string, 1 | -1][] = []): string {
  const planned = plan(tableOf(Store.of(db), 'driver', 'rows'), plain(filter) as Record<string, unknown>, sort);
  const sql = `EXPLAIN QUERY PLAN SELECT rid, body ${planned.from}${planned.order}`;
  const steps = db.prepare(sql).all(...planned.parameters) as { detail: string }[];
  return steps.map(({ detail }) => detail).join('; ');
}

describe('indexes', () => {
  const compound = [{ g: 1, n: -1 }, { d: 1 }, { tags: 1 }] as const;

  async function indexed() {
    const opened = await open();
    for (const index of compound) await opened.rows.createIndex(index as never);
    await opened.rows.createIndex({ due: 1 }, { partialFilterExpression: { due: { $gt: 5 } } });
    await opened.rows.insertMany([...many(50), { _id: 'tagged', tags: ['a', 'b'] }] as never);
    return opened;
  }

  it('are what SQLite searches', async () => {
    const { db } = await indexed();
    const used = (name: string) => expect.stringMatching(new RegExp(`^SEARCH .* USING INDEX .*#${name}`));
    expect(explained(db, { g: 3 })).toEqual(used('g_1_n_-1 \\(k0=\\?\\)'));
    expect(explained(db, { g: 3, n: { $gt: 1, $lt: 9 } })).toEqual(used('g_1_n_-1 \\(k0=\\? AND k1>\\? AND k1<\\?\\)'));
    expect(explained(db, { g: { $in: [1, 2, 3] } })).toEqual(used('g_1_n_-1 \\(k0=\\?\\)'));
    expect(explained(db, { d: { $gte: new Date(5) }, other: 'x' })).toEqual(used('d_1 \\(k2>\\?'));
    expect(explained(db, { _id: 'r1', g: 3 })).toMatch(/^SEARCH .* USING INDEX sqlite_autoindex.* \(id=\?\)/);
    expect(explained(db, { due: { $gt: 7 } })).toEqual(used('due_1'));
    expect(explained(db, { due: { $gt: 3 } })).toMatch(/^SCAN/);
    expect(explained(db, { $or: [{ g: 3 }, { d: new Date(1) }, { _id: 'r1' }] })).toMatch(/^MULTI-INDEX OR/);
    expect(explained(db, { tags: 'a' })).toMatch(/^MULTI-INDEX OR.*tags_1/);
  });

  it('give a sorted page without sorting', async () => {
    const { db } = await indexed();
    expect(explained(db, { g: 3 }, [['n', -1]])).not.toContain('TEMP B-TREE');
    expect(explained(db, { g: 3 }, [['n', 1]])).not.toContain('TEMP B-TREE');
    expect(explained(db, {}, [['d', -1]])).toMatch(/USING INDEX .*d_1/);
    expect(explained(db, { g: 3 }, [['d', 1]])).toContain('TEMP B-TREE');
  });
});

describe('an unindexed scan', () => {
  it('of more than the limit throws where asked, and says for what', async () => {
    const { rows } = await open({ onScan: 'throw', scanLimit: 100 });
    await rows.insertMany(many(100) as never);
    expect(await rows.countDocuments({ n: 5 })).toBe(1);
    await rows.insertOne({ _id: 'one more' } as never);
    const scan = { name: 'UnindexedScan', message: expect.stringContaining('driver.rows: no index serves ["n"]') };
    await expect(rows.countDocuments({ n: 5 })).rejects.toMatchObject(scan);
    await expect(rows.findOne({ n: { $gt: 5 } })).rejects.toMatchObject(scan);
    await expect(rows.updateOne({ n: 5 }, { $set: { n: 6 } })).rejects.toMatchObject(scan);
    await expect(rows.deleteMany({ n: 5 })).rejects.toMatchObject(scan);
    await expect(rows.find({}, { sort: { n: 1 }, limit: 1 } as never).toArray()).rejects.toMatchObject({
      name: 'UnindexedScan',
    });
    await expect(rows.aggregate([{ $match: { n: 5 } }]).toArray()).rejects.toMatchObject(scan);
    await rows.createIndex({ n: 1 });
    expect(await rows.countDocuments({ n: 5 })).toBe(1);
    expect((await rows.find({}, { sort: { n: -1 }, limit: 1 } as never).toArray())[0].n).toBe(99);
    expect((await rows.find({}).toArray()).length).toBe(101);
  });
});

describe('what is not supported', () => {
  it('is refused by name', async () => {
    const { connection, rows } = await open();
    await rows.insertOne({ _id: 'a', n: 1, l: [1] } as never);
    const refused = (work: () => Promise<unknown>, name: string) =>
      expect(Promise.resolve().then(work)).rejects.toMatchObject({
        name: 'UnsupportedByEmbedded',
        message: expect.stringContaining(name),
      });
    await refused(() => rows.findOne({ n: { $mod: [2, 1] } }), '$mod');
    await refused(() => rows.findOne({ $where: 'true' } as never), '$where');
    await refused(() => rows.findOne({ $expr: { $gt: ['$n', 0] } }), '$expr');
    await refused(() => rows.findOne({ $or: [{ n: { $near: 1 } }] } as never), '$near');
    await refused(() => rows.findOne({ n: { $type: 'decimal' } }), 'decimal');
    await refused(() => rows.updateOne({}, { $rename: { n: 'm' } }), '$rename');
    await refused(() => rows.updateOne({}, { $set: { 'l.$': 1 } }), 'positional');
    await refused(() => rows.updateOne({}, [{ $set: { n: 2 } }]), 'pipeline');
    await refused(() => rows.aggregate([{ $lookup: {} }]).toArray(), '$lookup');
    await refused(() => rows.findOne({}, { projection: { l: { $slice: 1 } } }), '$slice');
    await refused(() => rows.createIndex({ n: 'text' }), 'text');
    await refused(() => rows.createIndex({ n: 1 }, { expireAfterSeconds: 5 }), 'expireAfterSeconds');
    await refused(() => rows.insertOne({ n: mongoose.Types.Decimal128.fromString('1') } as never), 'Decimal128');
    await refused(async () => connection.startSession(), 'sessions');
    await refused(async () => rows.watch(), 'change streams');
    expect(await rows.find({}).toArray()).toEqual([{ _id: 'a', n: 1, l: [1] }]);
  });
});

describe('one file', () => {
  it('holds several databases, and gives them back when opened again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'driftloop-documents-'));
    const path = join(folder, 'driftloop.db');
    const schema = new Schema({ _id: String, code: { type: String, unique: true }, tags: [String] }).index({ tags: 1 });
    for (const turn of [0, 1]) {
      const db = new DatabaseSync(path);
      for (const database of ['labeling', 'registry']) {
        const connection = await openEmbedded(db, database, strict);
        const Thing = connection.model('Thing', schema);
        await Thing.init();
        if (turn === 0) await Thing.create({ _id: 'a', code: database, tags: ['x', database] });
        expect((await Thing.findOne({ tags: database }).lean())!.code).toBe(database);
        await expect(Thing.create({ _id: 'b', code: database })).rejects.toMatchObject({ code: 11000 });
        expect(await Thing.countDocuments()).toBe(1);
        await connection.close();
      }
      db.close();
    }
    rmSync(folder, { recursive: true });
  });

  it('leaves the global mongoose free', async () => {
    await open();
    expect(mongoose.connection.readyState).toBe(0);
    expect(mongoose.connection.constructor.name).toBe('NativeConnection');
  });

  it('takes part in a transaction that its owner has open', async () => {
    const { db, rows } = await open();
    await rows.insertOne({ _id: 'kept' } as never);
    db.exec('BEGIN');
    await rows.insertMany([{ _id: 'a' }, { _id: 'b' }] as never);
    db.exec('ROLLBACK');
    expect((await rows.find({}).toArray()).map(({ _id }) => _id)).toEqual(['kept']);
  });

  it('keeps nothing of a bulk insert that fails for another reason than a duplicate', async () => {
    const { rows } = await open();
    const docs = [{ _id: 'a' }, { _id: 'b', bad: () => 1 }] as never[];
    await expect(rows.insertMany(docs, { ordered: false })).rejects.toMatchObject({ name: 'UnsupportedByEmbedded' });
    expect(await rows.countDocuments({})).toBe(0);
    await rows.insertMany([{ _id: 'c', tags: ['x'] }] as never);
    expect(await rows.countDocuments({ tags: 'x' })).toBe(1);
  });
});

describe('a connection', () => {
  it('gives the same model for the same name and schema', async () => {
    const { connection } = await open();
    const schema = new Schema({ _id: String });
    expect(connection.model('Thing', schema)).toBe(connection.model('Thing', schema));
    expect(() => connection.model('Thing', new Schema({ _id: Number }))).toThrow('Cannot overwrite');
  });

  it('refuses operations once closed', async () => {
    const { connection, rows } = await open();
    await connection.close();
    await expect(rows.findOne({})).rejects.toThrow('closed');
  });

  it('lets timers run while operations are awaited in a loop', async () => {
    const { rows } = await open();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    for (let n = 0; n < 3000; n++) await rows.insertOne({ _id: n } as never);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(1);
  });
});
