/** A home on a file system that is really read-only, or really full: on a small one of its own, where mounting is permitted. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Schema } from 'mongoose';
import { type EmbeddedStore, openEmbeddedGround, openEmbeddedStore, readSettings } from './index.js';

const settings = readSettings({ DRIFTLOOP_LOG_LEVEL: 'fatal' });
const home = mkdtempSync(join(tmpdir(), 'driftloop-space-'));
const system = (...command: string[]): boolean => spawnSync(command[0], command.slice(1)).status === 0;
const mounted = system('mount', '-t', 'tmpfs', '-o', 'size=16m', 'driftloop', home);
const [where, skipped] = mounted ? [it, ''] : [it.skip, ' (skipped: mounting is not permitted)'];
let store: EmbeddedStore | undefined;

afterEach(async () => {
  await store?.close();
  store = undefined;
});
afterAll(() => {
  if (mounted) system('umount', home);
  rmSync(home, { recursive: true, force: true });
});

const unfinished = (): string[] => readdirSync(join(home, 'objects', '~unfinished'));
const wholly = 'x'.repeat(100_000);

/** Takes all the space that is left; gives it back. */
function fill(): () => void {
  const filler = join(home, 'filler');
  const { bsize, bavail } = statfsSync(home);
  writeFileSync(filler, Buffer.alloc(bsize * bavail));
  return () => rmSync(filler);
}

where(`a read-only home is refused by its name, and opens when it can be written again${skipped}`, async () => {
  await (await openEmbeddedStore(home, settings)).close();
  expect(system('mount', '-o', 'remount,ro', home)).toBe(true);
  const refused = openEmbeddedStore(home, settings);
  await expect(refused).rejects.toMatchObject({ code: 'HOME_NOT_WRITABLE', details: { home, reason: 'EROFS' } });
  expect(system('mount', '-o', 'remount,rw', home)).toBe(true);
  store = await openEmbeddedStore(home, settings);
});

where(`a full disk refuses objects, to be tried again, and leaves none half written${skipped}`, async () => {
  store = await openEmbeddedStore(home, settings);
  const { objects } = store;
  await objects.put('main/small', Buffer.from('kept'));
  const big = Buffer.alloc(17_000_000, 1);
  const source = join(tmpdir(), `driftloop-space-${process.pid}`);
  writeFileSync(source, big);
  const full = { code: 'OBJECTS_UNAVAILABLE', retriable: true, details: { reason: 'ENOSPC' } };
  await expect(objects.put('main/big', big)).rejects.toMatchObject(full);
  await expect(objects.putFile('main/big', source)).rejects.toMatchObject(full);
  rmSync(source);
  expect(unfinished()).toEqual([]);
  expect((await objects.list('main/')).map(({ key }) => key)).toEqual(['main/small']);
  await objects.put('main/big', big.subarray(0, 1_000_000));
  expect((await objects.get('main/big')).byteLength).toBe(1_000_000);
  await objects.delete('main/big');
});

where(`a full disk refuses documents and events, to be tried again, and keeps what it had${skipped}`, async () => {
  store = await openEmbeddedStore(home, settings);
  const { bus, db } = store;
  const ground = await openEmbeddedGround(home, 'labeling', store);
  const notes = ground.connection.model('notes', new Schema({ _id: String, text: String }));
  await bus.declare('noise', { partitions: 1, keep: '1d' });
  const event = (id: string) => ({ id, topic: 'noise', key: 'k', time: 0, source: 'spec', data: { text: wholly } });
  const write = async (id: string) => {
    await notes.create({ _id: id, text: wholly });
    await bus.publish([event(id)]);
  };
  await write('before');
  const giveBack = fill();
  const documents = notes.create({ _id: 'during', text: wholly.repeat(40) });
  await expect(documents).rejects.toMatchObject({ code: 'DOCUMENTS_UNAVAILABLE', retriable: true });
  await expect(bus.publish(Array.from({ length: 40 }, (_, i) => event(`during ${i}`)))).rejects.toMatchObject({
    retriable: true,
  });
  expect((await notes.find().lean()).map(({ _id }) => _id)).toEqual(['before']);
  giveBack();
  await write('after');
  expect((await notes.find().sort({ _id: 1 }).lean()).map(({ _id }) => _id)).toEqual(['after', 'before']);
  expect((await bus.read('noise', 0, 0, 100)).map(({ id }) => id)).toEqual(['before', 'after']);
  expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  await ground.close();
});
