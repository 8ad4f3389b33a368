/**
 * Sending a file of rows. It is read twice: what goes first says how long it is and what its hash is, so that a file that is
 * cut or changed on its way is not taken in.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type FeatureStoreClient,
  FileDescription,
  type IngestFileRequest,
  type IngestReply,
} from '@driftloop/contracts';
import type { Metadata, ServiceError } from '@grpc/grpc-js';
import { CallFailed } from './failure.js';
import { failure } from './rpc.js';

/** A file of rows of a source. */
export interface RowFile {
  readonly model: string;
  readonly source: string;
  readonly path: string;
  /** "csv", "csv.gz" or "parquet"; by the name's ending where it is left out. */
  readonly format?: string;
  /** Promise: with the file, everything of this source known at or before it has been sent. */
  readonly watermark?: Date;
}

/** In one message. */
const chunkBytes = 256 * 1024;

/** Resolves when all of it is taken in. Throws CallFailed: FILE_UNREADABLE for one that cannot be read here. */
export async function sendFile(store: FeatureStoreClient, metadata: Metadata, file: RowFile): Promise<IngestReply> {
  const { path, model, source, watermark, format = formatOf(path) } = file;
  const { length, sha256 } = await measured(path);
  const description = FileDescription.fromPartial({ model, source, format, watermark, length, sha256 });
  return new Promise((resolve, reject) => {
    const stream = store.ingestFile(metadata, (error: ServiceError | null, reply: IngestReply) =>
      error ? reject(failure(error, store.getChannel().getTarget())) : resolve(reply),
    );
    pipeline(Readable.from(messages(description, path)), stream as unknown as Writable).catch((error) => {
      stream.cancel();
      reject(unreadable(error));
    });
  });
}

async function* messages(value: FileDescription, path: string): AsyncGenerator<IngestFileRequest> {
  yield { part: { $case: 'description', value } };
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes }))
    yield { part: { $case: 'chunk', value: chunk as Buffer } };
}

async function measured(path: string): Promise<{ length: number; sha256: string }> {
  const hash = createHash('sha256');
  let length = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
      length += (chunk as Buffer).length;
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    throw unreadable(error);
  }
  return { length, sha256: hash.digest('hex') };
}

function formatOf(path: string): string {
  const ending = /\.(csv\.gz|csv|parquet)$/i.exec(path)?.[1];
  if (ending) return ending.toLowerCase();
  throw new CallFailed('FILE_FORMAT_UNKNOWN', `${path} is not called .csv, .csv.gz or .parquet; say its format`, false);
}

const unreadable = (error: unknown): CallFailed =>
  new CallFailed('FILE_UNREADABLE', `${(error as Error).message}; name a file of rows`, false);
