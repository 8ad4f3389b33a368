/** Objects in a bucket of a real MinIO hold the objects' contract, and what only a bucket has to. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describeOn } from '@driftloop/contracts/testing';
import { MinioObjects, type MinioOptions } from './minio.js';
import { describeObjects } from './objects.contract.js';

describeOn(['minio'], 'objects in MinIO', ({ minio }) => {
  const folders: string[] = [];
  const optionsOf = async (): Promise<MinioOptions> => {
    const folder = await mkdtemp(join(tmpdir(), 'driftloop-minio-'));
    folders.push(folder);
    return { ...minio, bucket: 'driftloop-specs', prefix: `spec-${randomUUID()}`, cache: { folder } };
  };
  const ground = async () => {
    const options = await optionsOf();
    const objects = await MinioObjects.open(options);
    const close = async () => {
      for (const { key } of await objects.list('')) await objects.delete(key);
    };
    return { objects, options, reopen: () => MinioObjects.open(options), close };
  };
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  describeObjects('the contract', { open: ground, skip: [] });

  it('stores a file of many parts, and reads it back with its hash', async () => {
    const { objects, options, close } = await ground();
    const path = join(options.cache.folder, 'large.parquet');
    const bytes = Buffer.alloc(70 * 1024 * 1024, Buffer.from([...Array(251).keys()]));
    await writeFile(path, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(await objects.putFile('main/large.parquet', path)).toMatchObject({ sha256, bytes: bytes.length });
    const copy = await objects.getFile('main/large.parquet', sha256);
    expect(
      createHash('sha256')
        .update(await readFile(copy))
        .digest('hex'),
    ).toBe(sha256);
    await close();
  });

  it('gives an address that anybody can read from, and nobody without it', async () => {
    const { objects, close } = await ground();
    await objects.put('main/report', Buffer.from('open to whoever has the link'));
    const url = await objects.presignedGet('main/report', 60);
    expect(await (await fetch(url)).text()).toBe('open to whoever has the link');
    expect((await fetch(url.split('?')[0])).status).toBe(403);
    await close();
  });

  it('refuses a wrong secret at once, and shows it nowhere', async () => {
    const secretKey = 'not-the-secret-of-this-server';
    const opening = MinioObjects.open({ ...(await optionsOf()), secretKey });
    const error = await opening.catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'OBJECTS_REFUSED', retriable: false });
    expect(inspect(error)).not.toContain(secretKey);
  });
});

it('says that a server which does not answer is away, to be tried again', async () => {
  const cache = { folder: join(tmpdir(), `driftloop-away-${process.pid}`) };
  const nobody = { endpoint: 'http://127.0.0.1:1', accessKey: 'key', secretKey: 'secret-key', bucket: 'none', cache };
  const opening = MinioObjects.open({ ...nobody, tries: 2, retryMs: 1, timeoutMs: 500 });
  await expect(opening).rejects.toMatchObject({ code: 'OBJECTS_UNAVAILABLE', retriable: true });
});
