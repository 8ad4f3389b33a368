/** The home folder: its lock, its errors, what outlives a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedGround, openEmbeddedStore, readSettings } from './index.js';

const settings = readSettings({});
let home: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'driftloop-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** Another process that has the lock of the home. */
async function owner(): Promise<ChildProcess> {
  const source = `
    const { DatabaseSync } = require('node:sqlite');
    const lock = new DatabaseSync(process.argv[1] + '/lock');
    lock.exec('BEGIN EXCLUSIVE');
    require('node:fs').writeFileSync(process.argv[1] + '/pid', String(process.pid));
    process.stdout.write('locked');
    setInterval(() => lock.isOpen, 1000);`;
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '-e', source, home], {
    stdio: [...stdio],
  });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

it('makes a home where there is none, and opens it again after it was closed', async () => {
  const deep = join(home, 'a', 'b');
  const first = await openEmbeddedStore(deep, settings);
  expect(first.db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(first.db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 });
  await first.objects.put('main/x', Buffer.from('kept'));
  await Promise.all([first.close(), first.close()]);
  const second = await openEmbeddedStore(deep, settings);
  expect(Buffer.from(await second.objects.get('main/x')).toString()).toBe('kept');
  await second.close();
});

it('refuses a home that this process has open', async () => {
  const store = await openEmbeddedStore(home, settings);
  await expect(openEmbeddedStore(home, settings)).rejects.toMatchObject({ code: 'HOME_LOCKED' });
  await store.close();
  expect(existsSync(join(home, 'pid'))).toBe(false);
});

it('refuses a home that another process runs in, and takes it over when that one was killed', async () => {
  const other = await owner();
  const refused = openEmbeddedStore(home, settings);
  await expect(refused).rejects.toMatchObject({ code: 'HOME_LOCKED', details: { home, pid: other.pid } });
  other.kill('SIGKILL');
  await once(other, 'exit');
  const store = await openEmbeddedStore(home, settings);
  expect(readFileSync(join(home, 'pid'), 'utf8')).toBe(String(process.pid));
  await store.close();
});

it('says that a home cannot be written to', async () => {
  const file = join(home, 'file');
  writeFileSync(file, '');
  const refused = { code: 'HOME_NOT_WRITABLE', message: expect.stringContaining('DRIFTLOOP_HOME') };
  await expect(openEmbeddedStore(join(file, 'home'), settings)).rejects.toMatchObject(refused);
  mkdirSync(join(home, 'lock'));
  await expect(openEmbeddedStore(home, settings)).rejects.toMatchObject(refused);
});

it('says that the database is not one, and gives the lock back', async () => {
  writeFileSync(
    join(home, 'driftloop.sqlite'),
    'certainly not a database, and long enough to be looked at'.repeat(100),
  );
  await expect(openEmbeddedStore(home, settings)).rejects.toMatchObject({ code: 'HOME_CORRUPT' });
  rmSync(join(home, 'driftloop.sqlite'));
  await (await openEmbeddedStore(home, settings)).close();
});

it('says that the database is spoiled where only its inside is', async () => {
  const store = await openEmbeddedStore(home, settings);
  await store.bus.declare('noise', { partitions: 1, keep: '1d' });
  const data = { text: 'x'.repeat(2000) };
  const noise = Array.from({ length: 200 }, (_, i) => ({ id: `${i}`, topic: 'noise', key: 'k', time: i, data }));
  await store.bus.publish(noise.map((event) => ({ ...event, source: 'spec' })));
  await store.close();
  const file = join(home, 'driftloop.sqlite');
  const bytes = readFileSync(file);
  writeFileSync(file, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0x5a)]));
  await expect(openEmbeddedStore(home, settings)).rejects.toMatchObject({ code: 'HOME_CORRUPT' });
  rmSync(file);
  await (await openEmbeddedStore(home, settings)).close();
});

it('opens a store of its own for a ground that is given none, and closes it with the ground', async () => {
  const ground = await openEmbeddedGround(home, 'labeling');
  await expect(openEmbeddedStore(home, settings)).rejects.toMatchObject({ code: 'HOME_LOCKED' });
  await ground.close();
  await (await openEmbeddedStore(home, settings)).close();
});
