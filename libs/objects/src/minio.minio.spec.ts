/** Objects in a bucket of a real MinIO hold the objects' contract, and what only a bucket has to. */
import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describeOn, lineTo } from '@driftloop/testing/servers';
import { Client } from 'minio';
import { MinioObjects, type MinioOptions } from './minio.js';
import { describeObjects } from './objects.contract.js';
import { Names } from './s3-names.js';

describeOn(['minio'], 'objects in MinIO', ({ minio }) => {
  const folders: string[] = [];
  const optionsOf = async (): Promise<MinioOptions> => {
    const folder = await mkdtemp(join(tmpdir(), 'driftloop-minio-'));
    folders.push(folder);
    return { ...minio, bucket: 'driftloop-specs', prefix: `spec-${randomUUID()}`, cache: { folder } };
  };
  const ground = async (cache: Partial<MinioOptions['cache']> = {}) => {
    const usual = await optionsOf();
    const options = { ...usual, cache: { ...usual.cache, ...cache } };
    const objects = await MinioObjects.open(options);
    const close = async () => {
      for (const { key } of await objects.list('')) await objects.delete(key);
    };
    return { objects, options, reopen: () => MinioObjects.open(options), close };
  };
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  describeObjects('the contract', { open: () => ground(), skip: [] });

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

  it('keeps the parts of writers apart that store large files under one key', async () => {
    const { objects, options, close } = await ground();
    const hashes = await Promise.all(
      [1, 2, 3].map(async (fill) => {
        const path = join(options.cache.folder, `large-${fill}`);
        await writeFile(path, Buffer.alloc(20 * 1024 * 1024 + fill, fill));
        return (await objects.putFile('main/contended', path)).sha256;
      }),
    );
    const found = createHash('sha256').update(await objects.get('main/contended'));
    expect(hashes).toContain(found.digest('hex'));
    await close();
  });

  it('finds out when the bytes were changed in the bucket, without being told their hash', async () => {
    const { objects, options, close } = await ground();
    const { sha256 } = await objects.put('main/model.onnx', Buffer.from('weights'));
    const { hostname, port } = new URL(minio.endpoint);
    const client = new Client({ endPoint: hostname, port: Number(port), useSSL: false, ...minio });
    const name = new Names(options.prefix!).of('main/model.onnx');
    await client.putObject(options.bucket, name, Buffer.from('WEIGHTS'), 7, { sha256 });
    const corrupt = { code: 'OBJECT_CORRUPT', retriable: false, details: { expected: sha256 } };
    await expect(objects.get('main/model.onnx')).rejects.toMatchObject(corrupt);
    await expect(objects.getFile('main/model.onnx')).rejects.toMatchObject(corrupt);
    await close();
  });

  it('fetches a local copy again whose bytes were changed on disk', async () => {
    const { objects, close } = await ground();
    await objects.put('main/rows.parquet', Buffer.from('rows'));
    const path = await objects.getFile('main/rows.parquet');
    await chmod(path, 0o600);
    await writeFile(path, 'ROWS');
    expect(await readFile(await objects.getFile('main/rows.parquet'), 'utf8')).toBe('rows');
    await close();
  });

  it('keeps local copies to their limit, the least recently used going first, and under no reader', async () => {
    let now = 1_000_000_000_000;
    const clock = () => (now += 1000);
    const { objects, options, close } = await ground({ limitBytes: 2500, clock });
    const stored = [];
    for (const n of [0, 1, 2]) stored.push(await objects.put(`main/${n}`, Buffer.alloc(1000, n)));
    const first = await objects.getFile('main/0');
    await objects.getFile('main/1');
    await objects.getFile('main/0');
    await objects.getFile('main/2');
    const kept = await readdir(join(options.cache.folder, 'entries'));
    expect(kept.sort()).toEqual([stored[0].sha256, stored[2].sha256].sort());
    await objects.put('main/0', Buffer.alloc(1000, 9));
    await objects.getFile('main/0');
    await objects.getFile('main/1');
    expect(Buffer.compare(await readFile(first), Buffer.alloc(1000, 0))).toBe(0);
    await close();
  });

  it('is unavailable while its server is away, stores nothing by halves, and goes on when it is back', async () => {
    const { hostname, port } = new URL(minio.endpoint);
    const line = await lineTo(hostname, Number(port));
    const endpoint = `http://127.0.0.1:${line.port}`;
    const objects = await MinioObjects.open({ ...(await optionsOf()), endpoint, tries: 2, retryMs: 1 });
    await objects.put('main/a', Buffer.from('before'));
    await line.cut();
    const away = { code: 'OBJECTS_UNAVAILABLE', retriable: true };
    await expect(objects.put('main/a', Buffer.from('meanwhile'))).rejects.toMatchObject(away);
    await expect(objects.get('main/a')).rejects.toMatchObject(away);
    await expect(objects.exists('main/a')).rejects.toMatchObject(away);
    await expect(objects.list('')).rejects.toMatchObject(away);
    await line.mend();
    expect(Buffer.from(await objects.get('main/a')).toString()).toBe('before');
    await objects.delete('main/a');
    await line.cut();
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
