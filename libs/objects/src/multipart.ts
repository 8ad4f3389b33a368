/**
 * A large file as one object, in parts: constant memory, and the object is there when the last request has been answered.
 *
 * I1  Each upload has an id of its own (the client's own way resumes an upload that it finds under the same name, and two
 *     writers would mix their parts); one that fails is aborted.
 * I2  Every part carries its MD5, and the file's SHA-256, computed before, must be the one of the bytes that were sent.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { Client } from 'minio';
import { errors } from './errors.js';
import { codeOf, type Patience, patiently } from './s3-requests.js';

/** Least bytes of a part; S3 asks for 5 MiB. A file up to this size is one request. */
export const PART_BYTES = 8 * 1024 * 1024;
const MOST_PARTS = 10_000;
const HASHED_AT_ONCE = 1024 * 1024;

export interface Upload {
  readonly client: Client;
  readonly bucket: string;
  readonly name: string;
  readonly patience: Patience;
}

/** A local file and its hash. */
export interface HashedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Reads a file once. Rejects with the file system's error. */
export async function hashFile(path: string): Promise<HashedFile> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(HASHED_AT_ONCE);
  const source = await open(path, 'r');
  try {
    for (let at = 0; ; ) {
      const bytes = await readAt(source, buffer, at, buffer.length);
      if (!bytes.length) return { path, sha256: hash.digest('hex'), bytes: at };
      hash.update(bytes);
      at += bytes.length;
    }
  } finally {
    await source.close();
  }
}

/** Uploads a file in parts; `beforeLast` is called when all parts are there. Throws OBJECT_SOURCE_CHANGED. */
export async function uploadParts(upload: Upload, file: HashedFile, beforeLast: () => void): Promise<void> {
  const { client, bucket, name, patience } = upload;
  const headers = { 'x-amz-meta-sha256': file.sha256 };
  const id = await patiently(patience, () => client.initiateNewMultipartUpload(bucket, name, headers));
  try {
    const parts = await sendParts(upload, id, file);
    beforeLast();
    await complete(upload, id, parts, file);
  } catch (error) {
    await client.abortMultipartUpload(bucket, name, id).catch(() => {});
    throw error;
  }
}

interface Part {
  readonly part: number;
  readonly etag: string;
}

async function sendParts(upload: Upload, id: string, file: HashedFile): Promise<Part[]> {
  const partBytes = Math.max(PART_BYTES, Math.ceil(file.bytes / MOST_PARTS));
  const buffer = Buffer.allocUnsafe(Math.min(partBytes, file.bytes));
  const hash = createHash('sha256');
  const parts: Part[] = [];
  const source = await open(file.path, 'r');
  try {
    for (let at = 0; at < file.bytes; at += partBytes) {
      const bytes = await readAt(source, buffer, at, Math.min(partBytes, file.bytes - at));
      hash.update(bytes);
      parts.push(await sendPart(upload, id, parts.length + 1, bytes));
    }
  } finally {
    await source.close();
  }
  checkUnchanged(file, hash);
  return parts;
}

/** I2 */
function checkUnchanged({ path, sha256 }: HashedFile, sent: Hash): void {
  if (sent.digest('hex') !== sha256) throw errors.OBJECT_SOURCE_CHANGED({ path });
}

async function readAt(source: FileHandle, buffer: Buffer, at: number, length: number): Promise<Buffer> {
  let read = 0;
  while (read < length) {
    const { bytesRead } = await source.read(buffer, read, length - read, at + read);
    if (!bytesRead) break; // the end, perhaps because the file has become shorter: its hash will say so
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

async function sendPart({ client, bucket, name, patience }: Upload, id: string, part: number, bytes: Buffer) {
  const headers = { 'Content-MD5': createHash('md5').update(bytes).digest('base64') };
  const place = { bucketName: bucket, objectName: name, uploadID: id, partNumber: part, headers };
  const { etag } = await patiently(patience, () => client.uploadPart({ ...place, headers: { ...headers } }, bytes));
  return { part, etag };
}

/** The last request; where its answer was lost, the object itself says whether it was heard. */
async function complete({ client, bucket, name, patience }: Upload, id: string, parts: Part[], file: HashedFile) {
  try {
    await patiently(patience, () => client.completeMultipartUpload(bucket, name, id, parts));
  } catch (error) {
    if (codeOf(error) !== 'NoSuchUpload') throw error;
    const { metaData, size } = await patiently(patience, () => client.statObject(bucket, name));
    if (metaData.sha256 !== file.sha256 || size !== file.bytes) throw error;
  }
}
