/** Compressed messages: expanded piece by piece, so that a limit holds while they grow and not afterwards. */
import { createGunzip, createInflate } from 'node:zlib';
import { errors } from '../errors.js';

export interface Expansion {
  readonly method: string;
  /** The largest message, bytes. */
  readonly limit: number;
  /** Hears of each piece before the next is made; what it throws ends the expansion. */
  readonly grown: (bytes: number) => void;
}

const expanders = new Map([
  ['gzip', createGunzip],
  ['deflate', createInflate],
]);

/** Throws MESSAGE_TOO_LARGE, MESSAGE_MALFORMED, ENCODING_UNKNOWN, or what `grown` throws. */
export async function expand(bytes: Buffer, encoding: string, { method, limit, grown }: Expansion): Promise<Buffer> {
  if (encoding === 'identity') return bytes;
  const expander = expanders.get(encoding)?.();
  if (!expander) throw errors.ENCODING_UNKNOWN({ method });
  const pieces: Buffer[] = [];
  let length = 0;
  expander.end(bytes);
  try {
    for await (const piece of expander as AsyncIterable<Buffer>) {
      length += piece.length;
      if (length > limit) throw errors.MESSAGE_TOO_LARGE({ method, limit });
      grown(piece.length);
      pieces.push(piece);
    }
  } catch (error) {
    if (String((error as NodeJS.ErrnoException).code).startsWith('Z_'))
      throw errors.MESSAGE_MALFORMED({ method, reason: `it is no ${encoding}` });
    throw error;
  } finally {
    expander.destroy();
  }
  return Buffer.concat(pieces, length);
}
