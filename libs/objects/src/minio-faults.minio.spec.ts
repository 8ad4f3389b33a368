/** What goes wrong with a server far away, its bucket, large files on their way and local copies (the rest: minio.minio.spec). */
import { createHash } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describeOn } from '@driftloop/testing/servers';
import { MinioObjects } from './minio.js';
import { type BucketGround, type Fate, openBucket, openWay } from './testing/minio.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describeOn(['minio'], 'a bucket of MinIO', ({ minio }) => {
  describe('the bucket', () => {
    let ground: BucketGround;
    const ways: { close(): Promise<void> }[] = [];
    beforeEach(async () => {
      ground = await openBucket(minio);
    });
    afterEach(async () => {
      await ground.close();
      await Promise.all(ways.splice(0).map((way) => way.close()));
    });

    /** A store whose requests meet these fates, and pass when they are used up. */
    async function beset(fates: Fate[], patience = {}): Promise<MinioObjects> {
      let begun = false;
      const way = await openWay(minio.endpoint, () => (begun ? (fates.shift() ?? 'pass') : 'pass'));
      ways.push(way);
      const objects = await ground.reopen({ endpoint: way.endpoint, retryMs: 5, timeoutMs: 400, ...patience });
      begun = true;
      return objects;
    }

    it('is made once, by whoever comes first', async () => {
      const bucket = `${ground.options.bucket.slice(0, 50)}-b`;
      const stores = await Promise.all(Array.from({ length: 5 }, () => ground.reopen({ bucket })));
      await stores[0].put('main/a', bytesOf('x'));
      expect(textOf(await stores[4].get('main/a'))).toBe('x');
      await stores[1].delete('main/a');
      await ground.raw.removeBucket(bucket);
    });

    it('keeps what lies below another prefix, and what is not ours, apart', async () => {
      const other = await ground.reopen({ prefix: 'other' });
      await ground.raw.putObject(ground.options.bucket, 'stranger/note', 'mine');
      await other.put('main/a', bytesOf('there'));
      await ground.objects.put('main/b', bytesOf('here'));
      expect(await other.list('')).toEqual([{ key: 'main/a', bytes: 5 }]);
      expect((await ground.objects.list('')).map(({ key }) => key)).toEqual(['main/b', 'other/main/a']);
    });

    it('lists more than a page of objects, in their order', async () => {
      const keys = Array.from({ length: 1_203 }, (_, i) => `main/rows/${i}`);
      for (let i = 0; i < keys.length; i += 50) {
        await Promise.all(keys.slice(i, i + 50).map((key) => ground.objects.put(key, bytesOf(key))));
      }
      expect((await ground.objects.list('main/')).map(({ key }) => key)).toEqual(keys.sort());
    });

    it('refuses to open with a wrong secret or key, says what to mend, and shows no secret', async () => {
      for (const wrong of [{ secretKey: 'not-the-secret' }, { accessKey: 'nobody' }]) {
        const error = await ground.reopen(wrong).catch((reason) => reason);
        expect(error).toMatchObject({ code: 'OBJECTS_REFUSED', status: 'PERMISSION_DENIED', retriable: false });
        expect(error.message).toMatch(
          /refuses our access key \((SignatureDoesNotMatch|InvalidAccessKeyId).*check the key/,
        );
        expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/not-the-secret/);
      }
      const shown = inspect(ground.objects, { depth: 9, showHidden: true });
      expect(shown + JSON.stringify(ground.objects)).not.toContain(minio.secretKey);
    });

    it.each([
      [{ endpoint: 'localhost:9000' }, /endpoint must be http/],
      [{ endpoint: 'http://me:hidden@localhost:9000' }, /endpoint must be http/],
      [{ endpoint: 'http://localhost:9000/path' }, /endpoint must be http/],
      [{ secretKey: '' }, /accessKey and secretKey must be both/],
      [{ bucket: 'Not A Bucket' }, /bucket must be a bucket's name/],
    ])('refuses the setting %j', async (wrong, message) => {
      const error = await ground.reopen(wrong).catch((reason) => reason);
      expect(error).toMatchObject({ code: 'OBJECTS_SETTING_INVALID', retriable: false });
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain('hidden');
    });

    it('is unavailable, to be tried again, where nobody listens', async () => {
      const opening = ground.reopen({ endpoint: 'http://127.0.0.1:1', tries: 2, retryMs: 1 });
      await expect(opening).rejects.toMatchObject({ code: 'OBJECTS_UNAVAILABLE', retriable: true });
      await expect(opening).rejects.toThrow(/ECONNREFUSED/);
    });

    it('is unavailable when it stops answering, within its time', async () => {
      const objects = await beset(Array(100).fill('silence'), { timeoutMs: 100, tries: 2 });
      const away = { code: 'OBJECTS_UNAVAILABLE', retriable: true };
      const begun = performance.now();
      await expect(objects.get('main/a')).rejects.toMatchObject(away);
      await expect(objects.put('main/a', bytesOf('x'))).rejects.toMatchObject(away);
      await expect(objects.list('')).rejects.toMatchObject(away);
      await expect(objects.exists('main/a')).rejects.toMatchObject(away);
      await expect(objects.delete('main/a')).rejects.toMatchObject(away);
      expect(performance.now() - begun).toBeLessThan(20_000);
    });

    it('is unavailable, and not empty, when its bucket is taken away', async () => {
      await ground.raw.removeBucket(ground.options.bucket);
      const away = { code: 'OBJECTS_UNAVAILABLE', retriable: true };
      await expect(ground.objects.get('main/a')).rejects.toMatchObject(away);
      await expect(ground.objects.exists('main/a')).rejects.toMatchObject(away);
      await expect(ground.objects.list('')).rejects.toThrow(/make the bucket again/);
    });

    it('is asked again when it was busy, cut off or silent', async () => {
      await ground.objects.put('main/a', new Uint8Array(300_000));
      for (const fates of [['busy', 'busy'], ['cut'], ['silence', 'cut', 'busy']] as Fate[][]) {
        const objects = await beset(fates);
        expect(await objects.get('main/a', sha256(new Uint8Array(300_000)))).toHaveLength(300_000);
        expect(fates).toEqual([]);
      }
      const busy = await beset(['busy', 'busy']);
      await busy.put('main/b', bytesOf('kept'));
      expect(textOf(await ground.objects.get('main/b'))).toBe('kept');
    });

    it('gives an object without a hash, put there by somebody else', async () => {
      await ground.raw.putObject(ground.options.bucket, 'main~/guest', 'theirs');
      expect(textOf(await ground.objects.get('main/guest'))).toBe('theirs');
      expect(await readFile(await ground.objects.getFile('main/guest'), 'utf8')).toBe('theirs');
    });

    it('lets anybody read an object who has its presigned address', async () => {
      await ground.objects.put('main/a/b', bytesOf('for you'));
      const address = await ground.objects.presignedGet('main/a/b', 60);
      expect(await (await fetch(address)).text()).toBe('for you');
      expect((await fetch(address.split('?')[0])).status).toBe(403);
      const forged = address.replace('X-Amz-Expires=60', 'X-Amz-Expires=600');
      expect((await fetch(forged)).status).toBe(403);
      for (const seconds of [0, 1.5, 604_801]) {
        const refused = ground.objects.presignedGet('main/a/b', seconds);
        await expect(refused).rejects.toMatchObject({ code: 'OBJECTS_SETTING_INVALID' });
      }
    });
  });

  describe('large files', () => {
    const size = 100 * 1024 * 1024 + 12_345;
    let folder: string;
    let ground: BucketGround;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'driftloop-large-'));
    });
    afterAll(() => rm(folder, { recursive: true }));
    beforeEach(async () => {
      ground = await openBucket(minio);
    });
    afterEach(() => ground.close());

    /** A file of numbers from a seed, and its hash. */
    async function large(name: string, seed: number, bytes = size) {
      const path = join(folder, name);
      const file = await open(path, 'w');
      const hash = createHash('sha256');
      const block = Buffer.alloc(1 << 20);
      for (let at = 0; at < bytes; at += block.length) {
        for (let i = 0; i < block.length; i += 4096) block.writeUInt32LE((seed * 7919 + at + i) >>> 0, i);
        const part = block.subarray(0, Math.min(block.length, bytes - at));
        hash.update(part);
        await file.write(part);
      }
      await file.close();
      return { path, sha256: hash.digest('hex') };
    }

    it('go up and come back in parts, in constant memory', async () => {
      const { path, sha256 } = await large('a.parquet', 1);
      let most = 0;
      const before = process.memoryUsage().arrayBuffers;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      }, 5);
      const stored = await ground.objects.putFile('main/a.parquet', path);
      clearInterval(watch);
      const copy = await ground.objects.getFile('main/a.parquet', sha256);
      expect(stored).toEqual({ key: 'main/a.parquet', sha256, bytes: size });
      expect((await stat(copy)).size).toBe(size);
      const { etag } = await ground.raw.statObject(ground.options.bucket, 'main~/a.parquet');
      expect(etag).toMatch(/-13$/);
      expect(most).toBeLessThan(40 * 1024 * 1024);
    });

    it('arrive where parts and the last answer are lost on the way', async () => {
      const { path, sha256 } = await large('lossy', 4, 20_000_000);
      const seen = new Map<string, number>();
      const once = ['partNumber=2', 'POST'];
      const way = await openWay(minio.endpoint, ({ method, url }) => {
        const what = once.find((part) => url!.includes(part) || (method === part && url!.includes('uploadId=')));
        if (!what || seen.has(what)) return 'pass';
        seen.set(what, 1);
        return 'cut';
      });
      const objects = await ground.reopen({ endpoint: way.endpoint, retryMs: 5 });
      await objects.putFile('main/lossy', path);
      expect([...seen.keys()]).toContain('POST');
      expect(await objects.get('main/lossy', sha256)).toHaveLength(20_000_000);
      await way.close();
    });

    it('leave nothing behind when they fail, and the old object stays', async () => {
      await ground.objects.put('main/a', bytesOf('old'));
      const { path } = await large('fails', 5, 20_000_000);
      const way = await openWay(minio.endpoint, ({ url }) => (url!.includes('partNumber=2') ? 'busy' : 'pass'));
      const objects = await ground.reopen({ endpoint: way.endpoint, retryMs: 1, tries: 2 });
      const failing = objects.putFile('main/a', path);
      await expect(failing).rejects.toMatchObject({ code: 'OBJECTS_UNAVAILABLE', retriable: true });
      expect(textOf(await ground.objects.get('main/a'))).toBe('old');
      expect((await stat(path)).size).toBe(20_000_000);
      expect(await ground.raw.findUploadId(ground.options.bucket, 'main~/a')).toBeUndefined();
      await way.close();
    });

    it('are refused when somebody writes to them meanwhile', async () => {
      const { path } = await large('moving', 6, 20_000_000);
      const way = await openWay(minio.endpoint, ({ url }) => {
        if (url!.includes('partNumber=1')) void writeFile(path, 'shorter');
        return 'pass';
      });
      const objects = await ground.reopen({ endpoint: way.endpoint });
      const putting = objects.putFile('main/moving', path);
      await expect(putting).rejects.toMatchObject({ code: 'OBJECT_SOURCE_CHANGED', retriable: false });
      expect(await ground.objects.exists('main/moving')).toBe(false);
      await way.close();
    });
  });

  describe('local copies', () => {
    let ground: BucketGround;
    let now = 1_000_000;
    const clock = () => now;
    beforeEach(async () => {
      ground = await openBucket(minio);
    });
    afterEach(() => ground.close());
    const cached = () => join(ground.options.cache.folder, 'entries');
    const limited = (limitBytes: number, stayMs = 1000) =>
      ground.reopen({ cache: { ...ground.options.cache, limitBytes, stayMs, clock } });

    it('are fetched once, by all who ask at a time and later', async () => {
      let gets = 0;
      const way = await openWay(minio.endpoint, ({ method, url }) => {
        if (method === 'GET' && url!.includes('main~')) gets++;
        return 'pass';
      });
      const objects = await ground.reopen({ endpoint: way.endpoint });
      await objects.put('main/a', bytesOf('same'));
      const paths = await Promise.all(Array.from({ length: 5 }, () => objects.getFile('main/a')));
      expect(await objects.getFile('main/a')).toBe(paths[0]);
      expect(new Set(paths).size).toBe(1);
      await (await ground.reopen({ endpoint: way.endpoint })).getFile('main/a');
      expect(gets).toBe(1);
      await way.close();
    });

    it('keep to the limit, the least recently used going first, and stay for those who have them', async () => {
      const objects = await limited(2_500);
      const hashes: string[] = [];
      for (const name of ['a', 'b', 'c']) {
        hashes.push((await objects.put(`main/${name}`, new Uint8Array(1000).fill(name.charCodeAt(0)))).sha256);
      }
      const [a, b] = [await objects.getFile('main/a'), await objects.getFile('main/b')];
      now += 10;
      await objects.getFile('main/a');
      now += 10;
      await objects.getFile('main/c');
      expect(new Set(await readdir(cached()))).toEqual(new Set([hashes[0], hashes[2]]));
      expect((await readFile(b)).toString()).toBe('b'.repeat(1000));
      const reader = await open(a, 'r');
      now += 1001;
      await objects.getFile('main/c');
      await expect(stat(a)).rejects.toMatchObject({ code: 'ENOENT' });
      expect((await reader.readFile()).toString()).toBe('a'.repeat(1000));
      await reader.close();
      expect((await readFile(await objects.getFile('main/a'))).toString()).toBe('a'.repeat(1000));
    });

    it('hold for one store while another evicts', async () => {
      const [one, other] = [await limited(1_500), await limited(1_500)];
      await one.put('main/a', new Uint8Array(1000).fill(1));
      await one.put('main/b', new Uint8Array(1000).fill(2));
      const rounds = Array.from({ length: 60 }, async (_, i) => {
        const path = await (i % 2 ? one : other).getFile(i % 3 ? 'main/a' : 'main/b');
        expect((await readFile(path))[0]).toBe(i % 3 ? 1 : 2);
      });
      await Promise.all(rounds);
    });

    it('of a process that is gone are removed by the next', async () => {
      const readers = join(ground.options.cache.folder, 'readers');
      const [mine] = await readdir(readers);
      const [host] = mine.split('~');
      const gone = join(readers, `${host}~4194304~x`);
      await writeFile(gone, '');
      await ground.reopen();
      expect((await readdir(readers)).filter((name) => name.includes('4194304'))).toEqual([]);
      expect(await readdir(readers)).toContain(mine);
    });
  });
});
