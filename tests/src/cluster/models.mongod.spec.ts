/** The indexes that the services' models declare, as mongod builds them and as the embedded documents do. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMongod } from '@driftloop/documents';
import { type House, openHouse } from '@driftloop/embedded';
import { Connection } from '@driftloop/service';
import { describeOn } from '@driftloop/testing/servers';

type Database = Awaited<ReturnType<typeof openMongod>>;
type Model = Database['models'][string];
type Options = Readonly<Record<string, unknown>>;

/** What makes an index another one: its fields in their order, and which documents are in it, how often and how long. */
interface Index {
  readonly fields: readonly unknown[];
  readonly unique: boolean;
  readonly sparse: boolean;
  readonly partial: unknown;
  readonly expireAfterSeconds: unknown;
}

describeOn(['mongod'], 'the indexes of the services’ models', ({ mongod: { uri } }) => {
  const run = `spec-models-${randomUUID().slice(0, 8)}`;
  const databases: Database[] = [];
  let home: string;
  let house: House;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'driftloop-models-'));
    house = await openHouse(home, { anyPorts: true, environment: { DRIFTLOOP_LOG_LEVEL: 'silent' } });
  }, 60_000);
  afterAll(async () => {
    for (const database of databases) {
      await database.dropDatabase();
      await database.close();
    }
    await house?.close();
    await rm(home, { recursive: true, force: true });
  });

  const embedded = () =>
    [...house.services].map(([service, { app }]) => [service, app.get<Database>(Connection).models] as const);

  it('are built by mongod and by the embedded documents as they are declared', async () => {
    const [declared, onMongod, inHome] = [new Map(), new Map(), new Map()];
    for (const [service, models] of embedded()) {
      const database = await openMongod(uri, `${run}-${service}`);
      databases.push(database);
      for (const [name, model] of Object.entries(models)) {
        const twin = database.model(name, model.schema, model.collection.name) as unknown as Model;
        const of = `${service}: ${name}`;
        declared.set(of, declaredOf(model));
        // mongoose's types tell a model of any schema apart from itself, depending on what the compiler has seen before.
        onMongod.set(of, await builtOf(twin as unknown as Model));
        inHome.set(of, await builtOf(model));
      }
    }
    expect(onMongod).toEqual(declared);
    expect(inHome).toEqual(declared);
  }, 60_000);

  it('are there: every service keeps documents, some unique, some that are found while they have unsent events', () => {
    const indexes = embedded().flatMap(([service, models]) => {
      expect([service, Object.keys(models)]).toEqual([service, expect.arrayContaining([expect.any(String)])]);
      return Object.values(models).flatMap((model) => Object.values(declaredOf(model)));
    });
    expect(indexes.filter(({ unique }) => unique).length).toBeGreaterThan(5);
    expect(indexes.filter(({ partial }) => partial).length).toBeGreaterThan(5);
  });
});

/** By name. */
function declaredOf({ schema }: Model): Record<string, Index> {
  const indexes = schema.indexes().map(([key, options]) => {
    const name = options.name ?? Object.entries(key).flat().join('_');
    return [name, indexOf(key, options as Options)];
  });
  return Object.fromEntries([['_id_', indexOf({ _id: 1 }, {})], ...indexes]);
}

/** Builds a model's indexes, and lists them by name. */
async function builtOf(model: Model): Promise<Record<string, Index>> {
  await model.init();
  await model.createCollection();
  const listed = await model.listIndexes();
  return Object.fromEntries(listed.map(({ name, key, ...options }) => [name, indexOf(key, options)]));
}

function indexOf(key: object, { unique, sparse, partialFilterExpression, expireAfterSeconds }: Options): Index {
  return {
    fields: Object.entries(key),
    unique: unique === true,
    sparse: sparse === true,
    partial: partialFilterExpression,
    expireAfterSeconds,
  };
}
