/**
 * Objects in a bucket of MinIO, or of any server that speaks S3.
 *
 * I1  A put is atomic in S3: one request for what fits one, else a multipart upload, whose parts nobody sees.
 * I2  An object's SHA-256 is kept as its metadata `sha256`; whoever gets the object has its bytes checked against it, and
 *     against the one expected.
 * I3  Keys are mapped to names (s3-names), so that `a` and `a/b` stand side by side in a listing too.
 * I4  The secret key is in the client alone, which is private: no error, log or inspection shows it.
 *
 * A crash in a multipart upload leaves parts that nobody sees and that cost space: MinIO removes them after a day; on
 * other servers, set a lifecycle rule that aborts incomplete uploads.
 */
import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type BucketItemStat, Client } from 'minio';
import { errors } from './errors.js';
import { FileCache, type FileCacheOptions } from './file-cache.js';
import { checkKey, checkPrefix } from './keys.js';
import { hashFile, PART_BYTES, type Upload, uploadParts } from './multipart.js';
import { type ListedObject, Objects, type StoredObject } from './objects.js';
import { objectsPoints } from './points.js';
import { Names } from './s3-names.js';
import {
  codeOf,
  inPortTerms,
  isMissing,
  isRefusal,
  type Patience,
  patiently,
  patientTransport,
  reasonOf,
} from './s3-requests.js';

export interface MinioOptions extends Partial<Patience> {
  /** `http://host:port` or `https://…`, without a path, a user or a password. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Made where it is not. */
  readonly bucket: string;
  /** Default us-east-1, which is MinIO's own. */
  readonly region?: string;
  /** Has the form of a key; all objects lie below it. Default: the bucket is ours alone. */
  readonly prefix?: string;
  /** Where local copies lie (`getFile`). */
  readonly cache: FileCacheOptions;
}

interface Parts {
  readonly client: Client;
  readonly bucket: string;
  readonly names: Names;
  readonly patience: Patience;
  readonly cache: FileCache;
}

export class MinioObjects extends Objects {
  readonly #parts: Parts;
  readonly #downloads = new Map<string, Promise<string>>();

  private constructor(parts: Parts) {
    super();
    this.#parts = parts;
  }

  /**
   * Opens a bucket, making it where it is not. Throws OBJECTS_SETTING_INVALID; OBJECTS_REFUSED where the server refuses
   * the key or the bucket (not retriable: a start should end with it); OBJECTS_UNAVAILABLE where it is away.
   */
  static async open(options: MinioOptions): Promise<MinioObjects> {
    const { endpoint, bucket, timeoutMs = 15_000, tries = 4, retryMs = 100 } = options;
    const patience = { timeoutMs, tries, retryMs };
    const client = clientOf(options, patience);
    const names = new Names(options.prefix ?? '');
    try {
      await patiently(patience, () => makeBucket(client, options));
    } catch (error) {
      const refused = isRefusal(error) || codeOf(error).startsWith('Bucket') || codeOf(error) === 'InvalidBucketName';
      if (refused) throw errors.OBJECTS_REFUSED({ endpoint, bucket, reason: reasonOf(error) });
      throw inPortTerms(error, undefined);
    }
    const cache = await FileCache.open(options.cache).catch((error) => {
      throw inPortTerms(error, undefined);
    });
    return new MinioObjects({ client, bucket, names, patience, cache });
  }

  async put(key: string, bytes: Uint8Array): Promise<StoredObject> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.#putBytes(key, bytes, sha256);
    return { key, sha256, bytes: bytes.byteLength };
  }

  /** Uploads the file and removes it. Throws OBJECT_SOURCE_MISSING, or OBJECT_SOURCE_CHANGED when somebody writes to it. */
  async putFile(key: string, path: string): Promise<StoredObject> {
    checkKey(key);
    const there = await stat(path).catch(() => undefined);
    if (!there?.isFile()) throw errors.OBJECT_SOURCE_MISSING({ key, path });
    const stored = there.size <= PART_BYTES ? await this.#putSmall(key, path) : await this.#putLarge(key, path);
    await rm(path, { force: true });
    return stored;
  }

  async get(key: string, expectedSha256?: string): Promise<Uint8Array> {
    const bytes = await this.#asking(key, async ({ client, bucket }, name) => {
      const answer = await client.getObject(bucket, name);
      return { found: await buffer(answer), kept: keptHash(answer) };
    });
    const expected = expectedSha256?.toLowerCase() ?? bytes.kept;
    if (expected !== undefined) check(key, expected, createHash('sha256').update(bytes.found).digest('hex'));
    return bytes.found;
  }

  /**
   * A local copy. It stays for the cache's `stayMs` after it was last handed out, and longer for who has it open; a copy
   * whose bytes were changed is fetched again.
   */
  async getFile(key: string, expectedSha256?: string): Promise<string> {
    const { metaData } = await this.#stat(key);
    const expected = expectedSha256?.toLowerCase();
    const kept = metaData.sha256 as string | undefined;
    if (expected !== undefined && kept !== undefined) check(key, expected, kept);
    const sha256 = expected ?? kept;
    const underWay = sha256 === undefined ? undefined : this.#downloads.get(`${sha256} ${key}`);
    if (underWay) return underWay;
    const download = this.#localCopy(key, sha256);
    if (sha256 === undefined) return download;
    this.#downloads.set(`${sha256} ${key}`, download);
    return download.finally(() => this.#downloads.delete(`${sha256} ${key}`));
  }

  async size(key: string): Promise<number> {
    return (await this.#stat(key)).size;
  }

  async exists(key: string): Promise<boolean> {
    return this.#stat(key).then(
      () => true,
      (error) => {
        if ((error as { code?: string }).code === 'OBJECT_NOT_FOUND') return false;
        throw error;
      },
    );
  }

  async list(prefix: string): Promise<ListedObject[]> {
    checkPrefix(prefix);
    const { client, bucket, names, patience } = this.#parts;
    const listing = async () => {
      const found: ListedObject[] = [];
      for await (const { name, size } of client.listObjectsV2(bucket, names.of(prefix), true)) {
        const key = names.keyOf(name ?? '');
        if (key !== undefined) found.push({ key, bytes: size });
      }
      return found;
    };
    const found = await inTerms(undefined, () => patiently(patience, listing));
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Deleting what is not there is no error. */
  async delete(key: string): Promise<void> {
    await this.#asking(key, ({ client, bucket }, name) => client.removeObject(bucket, name));
  }

  /**
   * An address under which anybody may get the object, without a key of their own, for so many seconds (at most 604,800,
   * a week). Asks nothing of the server: the object need not be there. Only this store has it: a folder has no addresses.
   */
  async presignedGet(key: string, expiresSeconds: number): Promise<string> {
    if (!Number.isInteger(expiresSeconds) || expiresSeconds < 1 || expiresSeconds > 604_800) {
      throw errors.OBJECTS_SETTING_INVALID({
        setting: 'expiresSeconds',
        expected: 'a whole number from 1 to 604800',
        found: String(expiresSeconds),
      });
    }
    return this.#asking(key, ({ client, bucket }, name) => client.presignedGetObject(bucket, name, expiresSeconds));
  }

  async #putBytes(key: string, bytes: Uint8Array, sha256: string): Promise<void> {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#asking(key, async ({ client, bucket }, name) => {
      objectsPoints.beforePlace.publish(key);
      // the size of a part is for streams: bytes that are in memory go as one
      await client.putObject(bucket, name, content, content.length, { sha256 });
    });
    objectsPoints.afterPlace.publish(key);
  }

  async #putSmall(key: string, path: string): Promise<StoredObject> {
    return this.put(key, await inTerms(undefined, () => readFile(path)));
  }

  async #putLarge(key: string, path: string): Promise<StoredObject> {
    const { client, bucket, names, patience } = this.#parts;
    const upload: Upload = { client, bucket, name: names.of(key), patience };
    return inTerms(undefined, async () => {
      const file = await hashFile(path);
      await uploadParts(upload, file, () => objectsPoints.beforePlace.publish(key));
      objectsPoints.afterPlace.publish(key);
      return { key, sha256: file.sha256, bytes: file.bytes };
    });
  }

  /** The copy of the cache, or a download. */
  async #localCopy(key: string, sha256: string | undefined): Promise<string> {
    const { cache } = this.#parts;
    const name = key.slice(key.lastIndexOf('/') + 1);
    const found = sha256 && (await inTerms(undefined, () => cache.find(sha256, name)));
    if (found) return found;
    const added = await this.#asking(key, async ({ client, bucket }, objectName) =>
      cache.add((await client.getObject(bucket, objectName)) as Readable, name, sha256),
    );
    if (added.path === undefined) throw errors.OBJECT_CORRUPT({ key, expected: sha256!, found: added.sha256 });
    return added.path;
  }

  /** A HEAD cannot say whether the object is missing or its bucket. */
  async #stat(key: string): Promise<BucketItemStat> {
    return this.#asking(key, async ({ client, bucket }, name) => {
      try {
        return await client.statObject(bucket, name);
      } catch (error) {
        if (!isMissing(error) || (await client.bucketExists(bucket))) throw error;
        throw Object.assign(new Error(`the bucket ${bucket} is not there`), { code: 'NoSuchBucket' });
      }
    });
  }

  async #asking<T>(key: string, request: (parts: Parts, name: string) => Promise<T>): Promise<T> {
    checkKey(key);
    const { names, patience } = this.#parts;
    return inTerms(key, () => patiently(patience, () => request(this.#parts, names.of(key))));
  }
}

async function inTerms<T>(key: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw inPortTerms(error, key);
  }
}

function clientOf({ endpoint, accessKey, secretKey, bucket, region }: MinioOptions, patience: Patience): Client {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const plain = url && /^https?:$/.test(url.protocol) && url.pathname === '/' && !url.search && !url.username;
  // not shown: a user and a password may be in it
  if (!plain) throw setting('endpoint', 'http://host:port or https://host:port, with nothing more', 'another form');
  if (!accessKey || !secretKey) throw setting('accessKey and secretKey', 'both', 'an empty one');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw setting('bucket', "a bucket's name", bucket);
  const useSSL = url.protocol === 'https:';
  return new Client({
    endPoint: url.hostname,
    port: Number(url.port) || (useSSL ? 443 : 80),
    useSSL,
    accessKey,
    secretKey,
    region: region ?? 'us-east-1',
    // bytes in memory are one request, whatever their number: our own multipart upload takes the files
    partSize: 5 * 1024 ** 3,
    transport: patientTransport(useSSL, patience) as never,
    transportAgent: new (useSSL ? https.Agent : http.Agent)({ keepAlive: true, maxSockets: 32 }),
    retryOptions: { disableRetry: true },
  });
}

function setting(name: string, expected: string, found: string): Error {
  return errors.OBJECTS_SETTING_INVALID({ setting: name, expected, found });
}

/** A listing says more of a refusal than a question whether the bucket is there. */
async function makeBucket(client: Client, { bucket, region = 'us-east-1' }: MinioOptions): Promise<void> {
  try {
    await client.listObjectsV2Query(bucket, '', '', '', 1, '');
  } catch (error) {
    if (codeOf(error) !== 'NoSuchBucket') throw error;
    await client.makeBucket(bucket, region).catch((refused) => {
      if (codeOf(refused) !== 'BucketAlreadyOwnedByYou') throw refused;
    });
  }
}

function keptHash(answer: Readable): string | undefined {
  return (answer as http.IncomingMessage).headers['x-amz-meta-sha256'] as string | undefined;
}

function check(key: string, expected: string, found: string): void {
  if (found !== expected) throw errors.OBJECT_CORRUPT({ key, expected, found });
}
