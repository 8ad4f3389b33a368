/**
 * Gzipped bytes made plain as they come, under limits: a small file must not become one that fills the disk.
 *
 * I1  What has been unpacked is the whole file: zlib checks each member's length and CRC and that the last one ends, `check`
 *     that nothing but zeros, with which tapes and blocks are filled up, stands behind it. zlib ends there in silence.
 */
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errors } from '../errors.js';

export interface ExpansionLimits {
  /** Bytes that a file may have when it is plain. */
  readonly bytes: number;
  /** Up to so many nobody asks how well they were packed. */
  readonly free: number;
  /** Beyond those: plain bytes to one that was sent. Tables reach 50, gzip can reach 1000. */
  readonly ratio: number;
}

export const expansionLimits: ExpansionLimits = { bytes: 4 * 1024 ** 3, free: 64 * 1024 ** 2, ratio: 200 };

/**
 * The stages of a pipeline that unpack, and the check when it is done. The stages throw FILE_EXPANDS as soon as it is too
 * much: the rest is never unpacked. `check` throws FILE_UNREADABLE.
 */
export function unpacking(limits: ExpansionLimits = expansionLimits) {
  const gunzip = createGunzip();
  let sent = 0;
  let plain = 0;
  /** Behind the last byte that is not zero. */
  let filled = 0;
  async function* counted(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of packed) {
      const last = chunk.findLastIndex((byte) => byte !== 0);
      if (last >= 0) filled = sent + last + 1;
      sent += chunk.length;
      yield chunk;
    }
  }
  async function* bounded(unpacked: Readable): AsyncGenerator<Buffer> {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      plain += chunk.length;
      const limit = Math.min(limits.bytes, Math.max(limits.free, limits.ratio * sent));
      if (plain > limit) throw errors.FILE_EXPANDS({ format: 'csv.gz', what: 'bytes when unpacked', limit });
      yield chunk;
    }
  }
  const check = () => {
    const problem = `bytes stand behind the end of its last member, at ${gunzip.bytesWritten}; write the file anew`;
    if (filled > gunzip.bytesWritten) throw errors.FILE_UNREADABLE({ format: 'csv.gz', problem });
  };
  return { stages: [counted, gunzip, bounded] as const, check };
}
