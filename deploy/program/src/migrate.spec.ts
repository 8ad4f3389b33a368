/** `driftloop`, where nothing runs: it has every command of the cli, and brings a home to the present format. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { currentFormat, openEmbeddedStore, readSettings } from '@driftloop/service';
import { runToEnd } from '@driftloop/testing/running';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const settings = readSettings({});
const names = ['what is stored has a number', 'dead letters are told by the place of their event'];
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-migrate-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const driftloop = (args: readonly string[], environment = {}) =>
  runToEnd(main, args, environment, { timeoutMs: 60_000 });

/** A home of that format, closed. */
async function homeOf(format: number): Promise<void> {
  await (await openEmbeddedStore(home, settings)).close();
  const db = new DatabaseSync(join(home, 'driftloop.sqlite'));
  db.exec(`PRAGMA user_version = ${format}`);
  db.close();
}

const good = (stdout: unknown) => ({ code: 0, stderr: '', stdout });
const refused = (message: string) => ({ code: 1, stdout: '', stderr: expect.stringMatching(message) });

it('has every command that asks a running system, and migrate', async () => {
  expect(await driftloop(['--help'])).toEqual(good(expect.stringMatching(/^ {2}status [\s\S]*^ {2}migrate /m)));
  expect(await driftloop(['status'], { DRIFTLOOP_URL: 'http://127.0.0.1:9' })).toEqual(refused('^UNREACHABLE: '));
});

it('says what it did, and then that there is nothing to do', async () => {
  await homeOf(0);
  const args = ['migrate', '--home', home];
  expect(await driftloop(args)).toEqual(good(`${home}: format 0 is now ${currentFormat}: ${names.join('; ')}\n`));
  expect(await driftloop(args)).toEqual(good(`${home}: format ${currentFormat}, nothing to do\n`));
  expect(await driftloop(['migrate'], { DRIFTLOOP_HOME: home })).toEqual(
    good(`${home}: format ${currentFormat}, nothing to do\n`),
  );
});

it('says the same as JSON', async () => {
  await homeOf(0);
  const json = async () => JSON.parse((await driftloop(['migrate', '--home', home, '--json'])).stdout);
  const done = names.map((name, i) => ({ to: i + 1, name }));
  expect(await json()).toEqual([{ what: home, found: 0, format: currentFormat, done }]);
  expect(await json()).toEqual([{ what: home, found: currentFormat, format: currentFormat, done: [] }]);
});

it('refuses a home that is in use', async () => {
  const store = await openEmbeddedStore(home, settings);
  expect(await driftloop(['migrate', '--home', home])).toEqual(
    refused(`^HOME_LOCKED: ${home} is in use by process ${process.pid}: `),
  );
  await store.close();
});

it('refuses a newer home, and a folder that is none, which it leaves empty', async () => {
  expect(await driftloop(['migrate', '--home', home])).toEqual(refused(`^HOME_MISSING: there is no home in ${home}: `));
  expect(readdirSync(home)).toEqual([]);
  await homeOf(currentFormat + 1);
  expect(await driftloop(['migrate', '--home', home])).toEqual(
    refused(`^HOME_NEWER: .* is in format ${currentFormat + 1}`),
  );
});

it('says what is wrong with how it was called', async () => {
  const cluster = {
    DRIFTLOOP_MODE: 'cluster',
    KAFKA_BROKERS: 'k:1',
    MONGODB_URI: 'mongodb://m',
    S3_ENDPOINT: 'http://s',
  };
  const environment = { ...cluster, S3_ACCESS_KEY: 'x', S3_SECRET_KEY: 'y' };
  expect(await driftloop(['migrate', '--home', home], environment)).toEqual({
    ...{ code: 2, stdout: '', stderr: expect.stringMatching(/^USAGE: DRIFTLOOP_MODE is cluster/) },
  });
  expect(await driftloop(['migrate'], { DRIFTLOOP_MODE: 'cluster' })).toEqual(
    refused('^SETTINGS_INVALID: .*MONGODB_URI'),
  );
});
