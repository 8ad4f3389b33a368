/**
 * Objects in a folder: a key is a path below it.
 *
 * I1  Bytes are written beside the tree, made durable, and renamed into place: a reader sees the old object or the new
 *     one. What a crash left half-written lies in `~unfinished` and is removed at open; one process owns the folder.
 * I2  An object's SHA-256 is computed from its bytes as they were written; `get` computes it again from what was read.
 * I3  `a` and `a/b` can stand side by side: a folder's name ends in `~`, which no key has, and a file keeps the last
 *     segment as its name, so that readers which look at the extension find it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, type Dirent } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errors } from './errors.js';
import { checkKey, checkPrefix } from './keys.js';
import { type ListedObject, Objects, type StoredObject } from './objects.js';
import { objectsPoints } from './points.js';

/** Ends a folder's name (I3). */
const mark = '~';
const unfinished = '~unfinished';

/** What this process is writing now, so that opening the folder a second time does not take it for a crash's. */
const writing = new Set<string>();

export class FolderObjects extends Objects {
  private constructor(readonly folder: string) {
    super();
  }

  /** Opens a folder, making it where it is not, and removes what a crash left unfinished. */
  static async open(folder: string): Promise<FolderObjects> {
    const objects = new FolderObjects(resolve(folder));
    await attempt(async () => {
      const folder = join(objects.folder, unfinished);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const left = (await readdir(folder)).map((name) => join(folder, name)).filter((path) => !writing.has(path));
      await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })));
    });
    return objects;
  }

  async put(key: string, bytes: Uint8Array): Promise<StoredObject> {
    checkKey(key);
    const temporary = this.#temporary();
    await attempt(async () => {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.#place(key, temporary);
    }, temporary);
    return { key, sha256: hashOf(bytes), bytes: bytes.byteLength };
  }

  /** Copies the file in and removes it. Throws OBJECT_SOURCE_MISSING when it is not there. */
  async putFile(key: string, path: string): Promise<StoredObject> {
    checkKey(key);
    if (!(await isFile(path))) throw errors.OBJECT_SOURCE_MISSING({ key, path });
    const temporary = this.#temporary();
    const hash = createHash('sha256');
    let bytes = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _, done) {
        hash.update(chunk);
        bytes += chunk.length;
        done(null, chunk);
      },
    });
    await attempt(async () => {
      await pipeline(
        createReadStream(path),
        measure,
        createWriteStream(temporary, { flags: 'wx', flush: true, mode: 0o600 }),
      );
      await this.#place(key, temporary);
      await rm(path, { force: true });
    }, temporary);
    return { key, sha256: hash.digest('hex'), bytes };
  }

  async get(key: string, expectedSha256?: string): Promise<Uint8Array> {
    const path = this.#path(key);
    const bytes = await attempt(() => readFile(path), undefined, key);
    if (expectedSha256 !== undefined) check(key, expectedSha256, hashOf(bytes));
    return bytes;
  }

  /** The path of the store's own file: never write to it, never move it. */
  async getFile(key: string, expectedSha256?: string): Promise<string> {
    const path = this.#path(key);
    if (!(await this.exists(key))) throw errors.OBJECT_NOT_FOUND({ key });
    if (expectedSha256 !== undefined) check(key, expectedSha256, await this.#hash(key, path));
    return path;
  }

  async size(key: string): Promise<number> {
    const bytes = await sizeOf(this.#path(key));
    if (bytes === undefined) throw errors.OBJECT_NOT_FOUND({ key });
    return bytes;
  }

  async exists(key: string): Promise<boolean> {
    return isFile(this.#path(key));
  }

  async list(prefix: string): Promise<ListedObject[]> {
    checkPrefix(prefix);
    const within = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const keys = (await attempt(() => this.#keysIn(within))).filter((key) => key.startsWith(prefix)).sort();
    const sizes = await Promise.all(keys.map((key) => sizeOf(this.#path(key))));
    return keys.flatMap((key, i) => (sizes[i] === undefined ? [] : [{ key, bytes: sizes[i] }]));
  }

  /** Deleting what is not there is no error. */
  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    await attempt(() => rm(path, { force: true }));
    for (let at = dirname(path); at.startsWith(`${this.folder}/`); at = dirname(at)) {
      if (!(await removedEmpty(at))) return;
    }
  }

  #path(key: string): string {
    checkKey(key);
    return join(this.folder, key.replaceAll('/', `${mark}/`));
  }

  #temporary(): string {
    const path = join(this.folder, unfinished, randomUUID());
    writing.add(path);
    return path;
  }

  /** Renames a finished file into place; its folder may be removed by a `delete` in between, so it is made again. */
  async #place(key: string, temporary: string): Promise<void> {
    const path = this.#path(key);
    objectsPoints.beforePlace.publish(key);
    for (let tries = 1; ; tries++) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      try {
        await rename(temporary, path);
        await syncFolder(dirname(path));
        objectsPoints.afterPlace.publish(key);
        return;
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || tries === 5) throw error;
      }
    }
  }

  async #hash(key: string, path: string): Promise<string> {
    const hash = createHash('sha256');
    await attempt(() => pipeline(createReadStream(path), hash), undefined, key);
    return hash.digest('hex');
  }

  /** All keys below a prefix that is empty or ends in a slash. */
  async #keysIn(within: string): Promise<string[]> {
    const keys: string[] = [];
    for (const entry of await entriesOf(join(this.folder, within.replaceAll('/', `${mark}/`)))) {
      if (entry.isFile()) keys.push(within + entry.name);
      else if (entry.name.endsWith(mark)) keys.push(...(await this.#keysIn(`${within}${entry.name.slice(0, -1)}/`)));
    }
    return keys;
  }
}

async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await sizeOf(path)) !== undefined;
}

/** The size of a file in bytes; undefined where there is none. */
async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

async function removedEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

/** A rename is durable when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

function check(key: string, expected: string, found: string): void {
  if (found !== expected.toLowerCase()) throw errors.OBJECT_CORRUPT({ key, expected, found });
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException)?.code;
}

/** Runs file work; a missing file is OBJECT_NOT_FOUND where a key is given, the rest OBJECTS_UNAVAILABLE. */
async function attempt<T>(work: () => Promise<T>, temporary?: string, key?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (temporary) await rm(temporary, { force: true }).catch(() => {});
    const code = codeOf(error);
    if (key !== undefined && (code === 'ENOENT' || code === 'ENOTDIR')) throw errors.OBJECT_NOT_FOUND({ key });
    throw errors.OBJECTS_UNAVAILABLE({ reason: code ?? (error as Error).message });
  } finally {
    if (temporary) writing.delete(temporary);
  }
}
