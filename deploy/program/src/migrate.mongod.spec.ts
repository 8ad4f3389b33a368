/** `driftloop migrate` in cluster mode: every service's database on a real mongod. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { services } from '@driftloop/contracts';
import { currentFormat } from '@driftloop/service';
import { bare } from '@driftloop/testing/environment';
import { describeOn } from '@driftloop/testing/servers';
import mongoose, { type Connection } from 'mongoose';

const names = ['what is stored has a number', 'dead letters are told by the place of their event'];
const main = fileURLToPath(new URL('./main.ts', import.meta.url));

describeOn(['mongod'], 'driftloop migrate on mongod', ({ mongod: { uri } }) => {
  const namespace = `spec-${randomUUID().slice(0, 8)}`;
  const databaseOf = (service: string) => `driftloop-${namespace}-${service}`;

  async function within<T>(service: string, work: (connection: Connection) => Promise<T>) {
    const connection = await mongoose.createConnection(uri, { dbName: databaseOf(service) }).asPromise();
    try {
      return await work(connection);
    } finally {
      await connection.close();
    }
  }

  afterAll(() => within('registry', (connection) => connection.dropDatabase()));

  function migrate(...args: string[]): string {
    const env = {
      ...bare,
      ...{ DRIFTLOOP_MODE: 'cluster', DRIFTLOOP_NAMESPACE: namespace, DRIFTLOOP_LOG_LEVEL: 'fatal', MONGODB_URI: uri },
      ...{ KAFKA_BROKERS: '127.0.0.1:9', S3_ENDPOINT: 'http://127.0.0.1:9', S3_ACCESS_KEY: 'x', S3_SECRET_KEY: 'x' },
    };
    return execFileSync(process.execPath, [main, 'migrate', ...args], { env, encoding: 'utf8' });
  }

  it('brings each database that there is to the present format, and makes none', async () => {
    await within('registry', (connection) => connection.collection('models').insertOne({ name: 'flights' }));
    const lines = (registry: string) =>
      [...services, 'gateway'].map(
        (service) => `${databaseOf(service)}: ${service === 'registry' ? registry : 'nothing is stored there yet'}\n`,
      );
    expect(migrate()).toBe(lines(`format 0 is now ${currentFormat}: ${names.join('; ')}`).join(''));
    expect(migrate()).toBe(lines(`format ${currentFormat}, nothing to do`).join(''));
    expect(JSON.parse(migrate('--json'))).toEqual(
      [...services, 'gateway'].map((service) => ({
        what: databaseOf(service),
        ...(service === 'registry' ? { found: currentFormat, format: currentFormat } : { found: null, format: null }),
        done: [],
      })),
    );
    expect(await within('gateway', (connection) => connection.listCollections())).toEqual([]);
  });
});
