/** The format of a service's database on a real mongod: numbered, brought on by one of many, refused where it is newer, killed. */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { collectionsOf, openMongod } from '@driftloop/documents';
import { describeOn } from '@driftloop/testing/servers';
import type { Connection } from 'mongoose';
import { WallClock } from '../clock.js';
import { openClusterGround } from '../cluster.js';
import { currentFormat, readSettings } from '../index.js';
import { openLog } from '../log.js';
import { migrateDatabase } from '../migrate.js';
import { bringToFormat } from './documents-format.js';
import type { DocumentsStored, Step } from './steps.js';

type Row = { _id: number; n: number; shape: number };

describeOn(['mongod'], 'the format of documents on mongod', ({ mongod: { uri } }) => {
  const log = openLog('spec', 'fatal');
  let namespace: string;
  let database: string;
  const connections: Connection[] = [];

  beforeEach(() => {
    namespace = `spec-${randomUUID().slice(0, 8)}`;
    database = `driftloop-${namespace}-labeling`;
  });
  afterEach(async () => {
    await connections[0]?.dropDatabase();
    for (const connection of connections.splice(0)) await connection.close();
  });

  async function open(): Promise<Connection> {
    const connection = await openMongod(uri, database);
    connections.push(connection);
    return connection;
  }

  /** What a replica brings with it, on a connection of its own. */
  const replica = async (name = 'a') => ({
    ...{ connection: await open(), service: 'labeling', replica: name, leaseMs: 4000, clock: new WallClock(), log },
  });

  const numberIn = async (connection: Connection): Promise<unknown> =>
    (await connection.collection('format').findOne({}))?.number;
  const rowsIn = async (connection: Connection): Promise<number[]> =>
    (await connection.collection<Row>('rows').find({}).sort({ _id: 1 }).toArray()).map(({ n }) => n);
  const hashOf = async ({ db }: Connection): Promise<unknown> => (await db!.command({ dbHash: 1 })).md5;

  /** A database of before numbers. */
  async function oldDatabase(): Promise<Connection> {
    const connection = await open();
    const rows = Array.from({ length: 10 }, (_, _id) => ({ _id, n: 7, shape: 0 }));
    await connection.collection<Row>('rows').insertMany(rows);
    return connection;
  }

  const numbered: Step<DocumentsStored> = { to: 1, name: 'numbered', when: 'start', run: () => undefined };
  const adding = (to: number, when: Step<DocumentsStored>['when']): Step<DocumentsStored> => ({
    ...{ to, when, name: `add ${to}` },
    run: async ({ connection }) => {
      const rows = connection.collection<Row>('rows');
      for (const { _id, n } of await rows.find({ shape: to - 2 }).toArray())
        await rows.updateOne({ _id, shape: to - 2 }, { $set: { n: n * 10 + to, shape: to - 1 } });
    },
  });
  const quick = [numbered, adding(2, 'start'), adding(3, 'start')];
  const long = [...quick, adding(4, 'command')];

  const settings = () =>
    readSettings({
      ...{ DRIFTLOOP_MODE: 'cluster', DRIFTLOOP_NAMESPACE: namespace, DRIFTLOOP_LOG_LEVEL: 'fatal', MONGODB_URI: uri },
      ...{ KAFKA_BROKERS: '127.0.0.1:9', S3_ENDPOINT: 'http://127.0.0.1:9', S3_ACCESS_KEY: 'x', S3_SECRET_KEY: 'x' },
      ...{ DRIFTLOOP_HOME: join(tmpdir(), namespace), DRIFTLOOP_LEASE_MS: '4000' },
    });

  it('is the current one of a database that is made now, and of one of before numbers', async () => {
    const fresh = await replica();
    expect(await bringToFormat(fresh, 'start')).toEqual({ found: 'nothing', format: currentFormat, done: [] });
    expect((await collectionsOf(fresh.connection)).sort()).toEqual(['format', 'leases']);
    await fresh.connection.collection('format').drop();
    await oldDatabase();
    expect(await bringToFormat(fresh, 'start')).toMatchObject({
      found: 0,
      format: currentFormat,
      done: [{ to: 1 }, { to: 2 }],
    });
    expect(await numberIn(fresh.connection)).toBe(currentFormat);
    expect(await bringToFormat(fresh, 'start')).toMatchObject({
      found: currentFormat,
      format: currentFormat,
      done: [],
    });
  });

  it('of a newer release is refused by its number before anything is written or Kafka is asked', async () => {
    const connection = await oldDatabase();
    await connection.collection<{ _id: string }>('format').insertOne({ _id: 'format', number: 9 } as never);
    const before = await hashOf(connection);
    const parts = await replica();
    const refused = { code: 'DOCUMENTS_NEWER', details: { database, found: 9, known: currentFormat } };
    for (const opening of [
      () => bringToFormat(parts, 'start'),
      () => openClusterGround('labeling', settings()),
      () => migrateDatabase(settings(), 'labeling'),
    ]) {
      await expect(opening()).rejects.toMatchObject(refused);
      expect(await hashOf(connection)).toEqual(before);
    }
  });

  it('is brought on by one of many that start at once, and each finds it done', async () => {
    const connection = await oldDatabase();
    let runs = 0;
    const counted = quick.map((step) => ({
      ...step,
      run: async (where: DocumentsStored) => {
        runs++;
        await step.run(where);
      },
    }));
    const many = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(replica));
    const brought = await Promise.all(many.map((parts) => bringToFormat(parts, 'start', counted)));
    expect(brought.map(({ format, done }) => [format, done.length]).sort()).toEqual([
      ...Array.from({ length: 4 }, () => [3, 0]),
      [3, 3],
    ]);
    expect([runs, await numberIn(connection), await rowsIn(connection)]).toEqual([3, 3, Array(10).fill(723)]);
  });

  it('is given once to a database that many find empty at once', async () => {
    const many = await Promise.all(['a', 'b', 'c', 'd'].map(replica));
    const starting = many.map(async (parts) => {
      await bringToFormat(parts, 'start', long);
      await parts.connection.collection<Row>('rows').insertOne({ _id: Math.random(), n: 1, shape: 3 });
    });
    await Promise.all(starting);
    expect([await numberIn(many[0].connection), await rowsIn(many[0].connection)]).toEqual([4, Array(4).fill(1)]);
  });

  it('is brought on by the command alone where a start cannot, and says so', async () => {
    const connection = await oldDatabase();
    const before = await hashOf(connection);
    const refused = { code: 'DOCUMENTS_NEED_MIGRATION', message: expect.stringContaining('`driftloop migrate`') };
    await expect(bringToFormat(await replica(), 'start', long)).rejects.toMatchObject(refused);
    expect(await hashOf(connection)).toEqual(before);
    expect(await migrateDatabase(settings(), 'labeling', long)).toMatchObject({ what: database, found: 0, format: 4 });
    expect(await rowsIn(connection)).toEqual(Array(10).fill(7234));
    expect(await bringToFormat(await replica(), 'start', long)).toMatchObject({ format: 4, done: [] });
  });

  it('makes no database by the command', async () => {
    expect(await migrateDatabase(settings(), 'labeling')).toMatchObject({
      found: 'nothing',
      format: 'nothing',
      done: [],
    });
    expect(await collectionsOf(await open())).toEqual([]);
  });

  it('stays where a step failed, and goes on from there', async () => {
    const connection = await oldDatabase();
    const fail = () => Promise.reject(new Error('row 3 has no weight'));
    const broken = [quick[0], quick[1], { ...quick[2], run: fail }];
    const reason = { what: `database ${database}`, to: 3, reason: 'row 3 has no weight' };
    await expect(bringToFormat(await replica(), 'start', broken)).rejects.toMatchObject({
      ...{ code: 'MIGRATION_FAILED', details: reason },
    });
    expect(await numberIn(connection)).toBe(2);
    await bringToFormat(await replica(), 'start', quick);
    expect([await numberIn(connection), await rowsIn(connection)]).toEqual([3, Array(10).fill(723)]);
  });

  it('is left, retriably, to another process that has gone on meanwhile', async () => {
    const connection = await oldDatabase();
    const overtaken: Step<DocumentsStored> = {
      ...quick[0],
      run: () => connection.collection('format').insertOne({ _id: 'format', number: 1 } as never) as never,
    };
    const refused = { code: 'DOCUMENTS_MIGRATING', retriable: true };
    await expect(bringToFormat(await replica(), 'start', [overtaken])).rejects.toMatchObject(refused);
  });

  describe('whose migration is killed', () => {
    const program = fileURLToPath(new URL('./testing/migrating.ts', import.meta.url));
    const run = (point: string, to: number) =>
      spawnSync(process.execPath, [...flags, program, 'documents', uri, database, point, `${to}`], {
        encoding: 'utf8',
      });
    const flags = ['--disable-warning=ExperimentalWarning'];

    it.each(
      ['in-step', 'before-number', 'after-number'].flatMap((point) => [1, 2, 3].map((to) => [point, to] as const)),
    )('%s of step %i is in the old format or the new one, and goes on to the end', async (point, to) => {
      const connection = await oldDatabase();
      expect(run(point, to).signal).toBe('SIGKILL');
      const format = point === 'after-number' ? to : to - 1;
      expect(await numberIn(connection)).toBe(format || undefined);
      const { status, stdout, stderr } = run('never', 0);
      expect([status, stderr]).toEqual([0, '']);
      expect(JSON.parse(stdout)).toMatchObject({ found: format, format: 3 });
      expect([await numberIn(connection), await rowsIn(connection)]).toEqual([3, Array(10).fill(7123)]);
    });
  });
});
