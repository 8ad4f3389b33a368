/**
 * Local copies of objects, for readers that want a file: content under its SHA-256, in one folder for all processes of a
 * machine, bounded in bytes, the least recently used going first.
 *
 * I1  Content is written beside, checked, and renamed into place: who sees an entry sees all of its bytes.
 * I2  What is handed out is not the entry but a hard link to it in this process's own folder, which nobody else touches:
 *     an entry may go while its readers read on. A link goes `stayMs` after it was last handed out (who has it open reads
 *     on even then), so the disk holds the limit and what was handed out since.
 * I3  A folder of links whose process is gone is removed by the next that opens the cache.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, link, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface FileCacheOptions {
  readonly folder: string;
  /** Most bytes of entries. Default 8 GiB. */
  readonly limitBytes?: number;
  /** How long a file stays after it was last handed out, ms. Default an hour. */
  readonly stayMs?: number;
  /** Wall time, epoch ms. */
  readonly clock?: () => number;
}

const DAY_MS = 86_400_000;

export class FileCache {
  readonly #entries: string;
  readonly #unfinished: string;
  readonly #links: string;
  readonly #limit: number;
  readonly #stayMs: number;
  readonly #clock: () => number;
  /** When each link was last handed out. */
  readonly #handed = new Map<string, number>();

  private constructor({ folder, limitBytes = 8 * 1024 ** 3, stayMs = 3_600_000, clock = Date.now }: FileCacheOptions) {
    const root = resolve(folder);
    this.#entries = join(root, 'entries');
    this.#unfinished = join(root, 'unfinished');
    this.#links = join(root, 'readers', `${hostname()}~${process.pid}~${randomUUID()}`);
    this.#limit = limitBytes;
    this.#stayMs = stayMs;
    this.#clock = clock;
  }

  /** Opens the folder, making it where it is not, and removes what processes that are gone have left. */
  static async open(options: FileCacheOptions): Promise<FileCache> {
    const cache = new FileCache(options);
    for (const folder of [cache.#entries, cache.#unfinished, cache.#links]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
    await removeAll(dirname(cache.#links), async (path) => isGone(path, cache.#clock()));
    await removeAll(cache.#unfinished, async (path) => isOld(path, cache.#clock()));
    return cache;
  }

  /** A file named `name` with the content, where it is here and whole; an entry that is not is removed. */
  async find(sha256: string, name: string): Promise<string | undefined> {
    const path = await this.#handOut(sha256, name);
    if (path === undefined) return undefined;
    if ((await hashOf(path).catch(missing)) === sha256) return path;
    await this.#forget(sha256, path);
    return undefined;
  }

  /** Takes content in and hands it out. Gives its SHA-256; where `expected` is another, nothing is kept. */
  async add(content: Readable, name: string, expected?: string): Promise<{ path?: string; sha256: string }> {
    const temporary = join(this.#unfinished, randomUUID());
    try {
      const sha256 = await writeHashed(content, temporary);
      if (expected !== undefined && sha256 !== expected) return { sha256 };
      await chmod(temporary, 0o400);
      await this.#used(temporary);
      // linked before it can be seen, and so before it can be evicted
      const path = await this.#link(temporary, sha256, name);
      await rename(temporary, join(this.#entries, sha256));
      await this.#evict();
      return { path, sha256 };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async #handOut(sha256: string, name: string): Promise<string | undefined> {
    const entry = join(this.#entries, sha256);
    try {
      await this.#used(entry);
      return await this.#link(entry, sha256, name);
    } catch (error) {
      if (missing(error) === undefined) return undefined;
      throw error;
    }
  }

  /** Ages are told by one clock: the file system's own may be another. */
  async #used(path: string): Promise<void> {
    const now = this.#clock() / 1000;
    await utimes(path, now, now);
  }

  /** I2 */
  async #link(source: string, sha256: string, name: string): Promise<string> {
    const path = join(this.#links, sha256, name);
    this.#handed.set(path, this.#clock());
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await link(source, path).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await this.#prune();
    return path;
  }

  async #prune(): Promise<void> {
    const oldest = this.#clock() - this.#stayMs;
    for (const [path, at] of this.#handed) {
      if (at >= oldest) continue;
      this.#handed.delete(path);
      await rm(path, { force: true });
    }
  }

  async #forget(sha256: string, path: string): Promise<void> {
    this.#handed.delete(path);
    await rm(path, { force: true });
    await rm(join(this.#entries, sha256), { force: true });
  }

  /** Removes the least recently used entries until the rest keeps to the limit. */
  async #evict(): Promise<void> {
    const paths = (await readdir(this.#entries)).map((name) => join(this.#entries, name));
    const found = await Promise.all(paths.map(async (path) => ({ path, is: await stat(path).catch(() => undefined) })));
    const entries = found.flatMap(({ path, is }) => (is ? [{ path, bytes: is.size, used: is.mtimeMs }] : []));
    entries.sort((a, b) => a.used - b.used);
    let total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of entries) {
      if (total <= this.#limit) return;
      await rm(path, { force: true });
      total -= bytes;
    }
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function writeHashed(content: Readable, path: string): Promise<string> {
  const hash = createHash('sha256');
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(content, measure, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  return hash.digest('hex');
}

/** Undefined for a file that is not there; throws what else there is. */
function missing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}

async function removeAll(folder: string, goes: (path: string) => Promise<boolean>): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (await goes(path)) await rm(path, { recursive: true, force: true });
  }
}

/** I3: a process of this machine is asked for; of another machine's, only the age of its folder can tell. */
async function isGone(path: string, now: number): Promise<boolean> {
  const [host, pid] = basename(path).split('~');
  if (host !== hostname()) return isOld(path, now);
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function isOld(path: string, now: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs > DAY_MS;
}
