/** The objects' contract in code: every implementation's spec runs it. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Objects } from './objects.js';

/** A place where a store can be opened, closed and opened again with what it kept. */
export interface ObjectsGround {
  readonly objects: Objects;
  reopen(): Promise<Objects>;
  close(): Promise<void>;
}

export interface ObjectsContract {
  readonly open: () => Promise<ObjectsGround>;
  /** Titles of facts that this implementation does not hold, each with its reason beside it in the spec. */
  readonly skip: readonly string[];
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const badKeys = ['', '/', 'a//b', '/a', 'a/', '.', '..', 'a/../b', 'a/./b', 'a b', 'ä', 'a\\b', 'a\0', 'a~', 'a%2e'];
const longKeys = ['x'.repeat(251), `${'x'.repeat(200)}/${'y'.repeat(200)}/${'z'.repeat(200)}`];

/** Describes the contract; keys begin with a tenant that is new for each fact, so that facts can share a store. */
export function describeObjects(name: string, { open, skip }: ObjectsContract): void {
  type Scene = { ground: ObjectsGround; objects: Objects; tenant: string; folder: string };
  const fact = (title: string, run: (scene: Scene) => Promise<void>) => {
    const test = skip.includes(title) ? it.skip : it;
    test(title, async () => {
      const ground = await open();
      const folder = await mkdtemp(join(tmpdir(), 'driftloop-objects-'));
      try {
        await run({ ground, objects: ground.objects, tenant: `t-${randomUUID()}`, folder });
      } finally {
        await ground.close();
        await rm(folder, { recursive: true });
      }
    });
  };

  describe(name, () => {
    fact('gives bytes back as they were put, with their hash and length', async ({ objects, tenant }) => {
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256);
      const key = `${tenant}/models/flights/v1.onnx`;
      const stored = await objects.put(key, bytes);
      expect(stored).toEqual({ key, sha256: sha256(bytes), bytes: 100_000 });
      expect(Buffer.compare(await objects.get(key), bytes)).toBe(0);
    });

    fact('stores the empty object', async ({ objects, tenant }) => {
      const stored = await objects.put(`${tenant}/empty`, new Uint8Array());
      expect(stored.bytes).toBe(0);
      expect(await objects.get(`${tenant}/empty`, stored.sha256)).toHaveLength(0);
    });

    fact('replaces what a key held', async ({ objects, tenant }) => {
      await objects.put(`${tenant}/a`, bytesOf('the first, longer one'));
      await objects.put(`${tenant}/a`, bytesOf('the second'));
      expect(textOf(await objects.get(`${tenant}/a`))).toBe('the second');
    });

    fact('keeps objects when it is opened again', async ({ ground, objects, tenant }) => {
      const { sha256 } = await objects.put(`${tenant}/a/b`, bytesOf('kept'));
      const again = await ground.reopen();
      expect(textOf(await again.get(`${tenant}/a/b`, sha256))).toBe('kept');
    });

    fact('shows a reader one whole write or another, never a part', async ({ objects, tenant }) => {
      const key = `${tenant}/contended`;
      const contents = ['a', 'b', 'c', 'd'].map((letter) => bytesOf(letter.repeat(300_000)));
      await objects.put(key, contents[0]);
      const writes = Array.from({ length: 12 }, (_, i) => objects.put(key, contents[i % 4]));
      const reads = Array.from({ length: 24 }, () => objects.get(key));
      await Promise.all(writes);
      for (const bytes of await Promise.all(reads)) {
        expect(contents.some((content) => Buffer.compare(content, bytes) === 0)).toBe(true);
      }
    });

    fact('moves a file in', async ({ objects, tenant, folder }) => {
      const path = join(folder, 'training.parquet');
      const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) % 251);
      await writeFile(path, bytes);
      const stored = await objects.putFile(`${tenant}/sets/a.parquet`, path);
      expect(stored).toEqual({ key: `${tenant}/sets/a.parquet`, sha256: sha256(bytes), bytes: bytes.length });
      expect(existsSync(path)).toBe(false);
      expect(Buffer.compare(await objects.get(stored.key, stored.sha256), bytes)).toBe(0);
    });

    fact('says when the file to move in is not there', async ({ objects, tenant, folder }) => {
      const putting = objects.putFile(`${tenant}/a`, join(folder, 'nowhere'));
      await expect(putting).rejects.toMatchObject({ code: 'OBJECT_SOURCE_MISSING', retriable: false });
      expect(await objects.exists(`${tenant}/a`)).toBe(false);
    });

    fact('gives a local file with the bytes, under a name that keeps its extension', async ({ objects, tenant }) => {
      const stored = await objects.put(`${tenant}/sets/b.parquet`, bytesOf('rows'));
      expect(await objects.size(stored.key)).toBe(stored.bytes);
      const path = await objects.getFile(stored.key, stored.sha256);
      expect(await readFile(path, 'utf8')).toBe('rows');
      expect(path.endsWith('.parquet')).toBe(true);
    });

    fact('says when there is no object, and when there is only a longer key', async ({ objects, tenant }) => {
      await objects.put(`${tenant}/a/b/c`, bytesOf('x'));
      for (const key of [`${tenant}/none`, `${tenant}/a`, `${tenant}/a/b`, `${tenant}/a/b/c/d`]) {
        const missing = { code: 'OBJECT_NOT_FOUND', status: 'NOT_FOUND', details: { key } };
        await expect(objects.get(key)).rejects.toMatchObject(missing);
        await expect(objects.getFile(key)).rejects.toMatchObject(missing);
        await expect(objects.size(key)).rejects.toMatchObject(missing);
        expect(await objects.exists(key)).toBe(false);
      }
    });

    fact('says when bytes are not those expected', async ({ objects, tenant }) => {
      const key = `${tenant}/model.onnx`;
      const { sha256: found } = await objects.put(key, bytesOf('these'));
      const expected = sha256(bytesOf('those'));
      const corrupt = { code: 'OBJECT_CORRUPT', retriable: false, details: { key, expected, found } };
      await expect(objects.get(key, expected)).rejects.toMatchObject(corrupt);
      await expect(objects.getFile(key, expected)).rejects.toMatchObject(corrupt);
      expect(textOf(await objects.get(key, found))).toBe('these');
    });

    fact('holds a key beside the keys below it', async ({ objects, tenant }) => {
      await objects.put(`${tenant}/a`, bytesOf('short'));
      await objects.put(`${tenant}/a/b`, bytesOf('long'));
      expect(textOf(await objects.get(`${tenant}/a`))).toBe('short');
      expect(textOf(await objects.get(`${tenant}/a/b`))).toBe('long');
      await objects.delete(`${tenant}/a`);
      expect(textOf(await objects.get(`${tenant}/a/b`))).toBe('long');
    });

    fact('lists the keys of a prefix, sorted by their characters, with their lengths', async ({ objects, tenant }) => {
      const names = ['b', 'a/z', 'a', 'a-b', 'a/b=1/x.parquet', 'ab', 'Z'];
      for (const [i, name] of names.entries()) await objects.put(`${tenant}/${name}`, new Uint8Array(i));
      const listed = await objects.list(`${tenant}/`);
      expect(listed).toEqual(
        [...names].sort().map((name) => ({ key: `${tenant}/${name}`, bytes: names.indexOf(name) })),
      );
      const keys = async (prefix: string) => (await objects.list(`${tenant}/${prefix}`)).map(({ key }) => key);
      expect(await keys('a')).toEqual(['a', 'a-b', 'a/b=1/x.parquet', 'a/z', 'ab'].map((name) => `${tenant}/${name}`));
      expect(await keys('a/b=')).toEqual([`${tenant}/a/b=1/x.parquet`]);
      expect(await keys('none/')).toEqual([]);
      expect((await objects.list('')).filter(({ key }) => key.startsWith(tenant))).toEqual(listed);
    });

    fact('deletes an object, and again without an error', async ({ objects, tenant }) => {
      await objects.put(`${tenant}/a/b`, bytesOf('x'));
      await objects.delete(`${tenant}/a/b`);
      await objects.delete(`${tenant}/a/b`);
      expect(await objects.exists(`${tenant}/a/b`)).toBe(false);
      expect(await objects.list(`${tenant}/`)).toEqual([]);
    });

    fact('puts and deletes side by side in one folder', async ({ objects, tenant }) => {
      const rounds = Array.from({ length: 30 }, async (_, i) => {
        await objects.put(`${tenant}/deep/er/${i}`, bytesOf(`${i}`));
        if (i % 3 > 0) await objects.delete(`${tenant}/deep/er/${i}`);
      });
      await Promise.all(rounds);
      expect(await objects.list(`${tenant}/deep/`)).toHaveLength(10);
    });

    fact('refuses keys that are none, in every call', async ({ objects, folder }) => {
      const file = join(folder, 'file');
      await writeFile(file, 'x');
      for (const key of [...badKeys, ...longKeys]) {
        const invalid = { code: 'OBJECT_KEY_INVALID', status: 'INVALID_ARGUMENT', retriable: false };
        await expect(objects.put(key, bytesOf('x'))).rejects.toMatchObject(invalid);
        await expect(objects.putFile(key, file)).rejects.toMatchObject(invalid);
        await expect(objects.get(key)).rejects.toMatchObject(invalid);
        await expect(objects.getFile(key)).rejects.toMatchObject(invalid);
        await expect(objects.exists(key)).rejects.toMatchObject(invalid);
        await expect(objects.delete(key)).rejects.toMatchObject(invalid);
      }
      await expect(objects.list('../')).rejects.toMatchObject({ code: 'OBJECT_KEY_INVALID' });
      expect(existsSync(file)).toBe(true);
    });

    fact('takes the longest keys', async ({ objects, tenant }) => {
      const key = `${tenant}/${'x'.repeat(250)}/${'y'.repeat(512 - tenant.length - 252)}`;
      await objects.put(key, bytesOf('far'));
      expect((await objects.list(`${tenant}/`)).map((object) => object.key)).toEqual([key]);
    });
  });
}
