/** Objects in a folder hold the objects' contract, and what only a folder has to. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderObjects } from './folder.js';
import { describeObjects, type ObjectsGround } from './objects.contract.js';

async function temporaryGround(): Promise<ObjectsGround & { folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-folder-'));
  const objects = await FolderObjects.open(folder);
  return { folder, objects, reopen: () => FolderObjects.open(folder), close: () => rm(folder, { recursive: true }) };
}

describeObjects('objects in a folder', { open: temporaryGround, skip: [] });

describe('the folder of objects', () => {
  let ground: Awaited<ReturnType<typeof temporaryGround>>;
  beforeEach(async () => {
    ground = await temporaryGround();
  });
  afterEach(() => ground.close());

  it('removes at open what a crash left half-written, and lists none of it', async () => {
    await ground.objects.put('main/a', new Uint8Array(3));
    await writeFile(join(ground.folder, '~unfinished', 'half'), 'ha');
    expect(await ground.objects.list('')).toEqual([{ key: 'main/a', bytes: 3 }]);
    await ground.reopen();
    expect(await readdir(join(ground.folder, '~unfinished'))).toEqual([]);
  });

  it('does not take a write of this process for one of a crash', async () => {
    const puts = Array.from({ length: 20 }, (_, i) => ground.objects.put(`main/${i}`, new Uint8Array(200_000)));
    const opens = Array.from({ length: 10 }, () => ground.reopen());
    await Promise.all([...puts, ...opens]);
    expect(await ground.objects.list('')).toHaveLength(20);
  });

  it('leaves nothing half-written behind by itself', async () => {
    await ground.objects.put('main/a', new Uint8Array(3));
    await ground.objects.delete('main/a');
    expect(await readdir(ground.folder)).toEqual(['~unfinished']);
    expect(await readdir(join(ground.folder, '~unfinished'))).toEqual([]);
  });

  it('finds out when the bytes were changed on disk', async () => {
    const { sha256 } = await ground.objects.put('main/model.onnx', new TextEncoder().encode('weights'));
    const path = await ground.objects.getFile('main/model.onnx', sha256);
    await writeFile(path, 'WEIGHTS');
    await expect(ground.objects.get('main/model.onnx', sha256)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
    await expect(ground.objects.getFile('main/model.onnx', sha256)).rejects.toMatchObject({ code: 'OBJECT_CORRUPT' });
  });

  it('keeps the old object when a write fails', async () => {
    await ground.objects.put('main/a', new TextEncoder().encode('old'));
    await rm(join(ground.folder, '~unfinished'), { recursive: true });
    const failing = ground.objects.put('main/a', new TextEncoder().encode('new'));
    await expect(failing).rejects.toMatchObject({ code: 'OBJECTS_UNAVAILABLE', retriable: true });
    expect(new TextDecoder().decode(await ground.objects.get('main/a'))).toBe('old');
  });

  it('is unavailable, and says why, where its folder cannot be', async () => {
    const file = join(ground.folder, 'a-file');
    await writeFile(file, '');
    const opening = FolderObjects.open(join(file, 'below'));
    await expect(opening).rejects.toMatchObject({ code: 'OBJECTS_UNAVAILABLE', details: { reason: 'ENOTDIR' } });
  });

  it('leaves what is not its own alone', async () => {
    await mkdir(join(ground.folder, 'stranger'));
    await writeFile(join(ground.folder, 'stranger', 'note'), 'mine');
    expect(await ground.objects.list('')).toEqual([]);
    await ground.reopen();
    expect(await readFile(join(ground.folder, 'stranger', 'note'), 'utf8')).toBe('mine');
  });
});
