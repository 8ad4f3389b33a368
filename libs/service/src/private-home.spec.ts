/** Who else can read a home: nobody, whatever the process's umask, and however the home was found. */
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Schema } from 'mongoose';
import { openEmbeddedGround, openEmbeddedStore, readSettings } from './index.js';

const settings = readSettings({ DRIFTLOOP_LOG_LEVEL: 'fatal' });
let root: string;
let umask: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'driftloop-private-'));
  umask = process.umask(0);
});
afterEach(() => {
  process.umask(umask);
  rmSync(root, { recursive: true, force: true });
});

/** What others may read, write or enter, with its mode. */
function openTo(home: string): string[] {
  const entries = readdirSync(home, { recursive: true, withFileTypes: true });
  const paths = [home, ...entries.map((entry) => join(entry.parentPath, entry.name))];
  const open = paths.filter((path) => (statSync(path).mode & 0o077) !== 0);
  return open.map((path) => `${relative(home, path)} ${(statSync(path).mode & 0o777).toString(8)}`);
}

async function lived(home: string, look: () => void): Promise<void> {
  const store = await openEmbeddedStore(home, settings);
  const ground = await openEmbeddedGround(home, 'labeling', store);
  await ground.connection.model('notes', new Schema({ _id: String })).create({ _id: randomUUID() });
  await store.objects.put('main/deep/small', Buffer.from('bytes'));
  look();
  await ground.close();
  await store.close();
}

it('is made for its owner alone, the files beside its database too', async () => {
  const home = join(root, 'home');
  await lived(home, () => {
    const names = readdirSync(home);
    expect(names).toEqual(
      expect.arrayContaining(['driftloop.sqlite', 'driftloop.sqlite-wal', 'lock', 'pid', 'objects']),
    );
    expect(openTo(home)).toEqual([]);
  });
  expect(openTo(home)).toEqual([]);
});

it('is closed to others at its next start, where it was open', async () => {
  const home = join(root, 'home');
  await lived(home, () => {});
  for (const [name, mode] of [
    ['.', 0o755],
    ['driftloop.sqlite', 0o644],
    ['lock', 0o666],
    ['objects', 0o755],
  ] as const)
    chmodSync(join(home, name), mode);
  await lived(home, () => expect(openTo(home)).toEqual([]));
});

it('leaves a folder alone that is everybody’s, and makes its own files in it private', async () => {
  const home = join(root, 'shared');
  mkdirSync(home);
  chmodSync(home, 0o1777);
  await lived(home, () => expect(openTo(home)).toEqual([' 777']));
});
