/**
 * Reads a message so that one value that we cannot keep does not take the rest of it along: a whole number beyond ±2^53 is read
 * as the last before it, which is no time; bytes that are no UTF-8 as half a character. Both are refused: in a row (`SourceRow`,
 * `Outcome` …) by whoever judges rows, elsewhere by the door, which names the field (`unreadableField`).
 */
import { isUtf8 } from 'node:buffer';
import { BinaryReader } from '@bufbuild/protobuf/wire';

/** No text is half a surrogate pair (`isWholeText`). */
const noText = '\ud800';
const most = Number.MAX_SAFE_INTEGER;

export class MessageReader extends BinaryReader {
  readonly #found: { unreadable: boolean };

  constructor(bytes: Uint8Array) {
    const found = { unreadable: false };
    super(bytes, (text) => {
      if (isUtf8(text)) return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8');
      found.unreadable = true;
      return noText;
    });
    this.#found = found;
  }

  /** Whether a value so far was none that can be kept. */
  get unreadable(): boolean {
    return this.#found.unreadable;
  }

  override int64(): bigint | string {
    return this.#kept(super.int64());
  }

  override uint64(): bigint | string {
    return this.#kept(super.uint64());
  }

  #kept(value: bigint | string): bigint | string {
    if (isSafe(value)) return value;
    this.#found.unreadable = true;
    return String(Number(value) < 0 ? -most : most);
  }
}

/** Whether a number holds a whole number exactly, and no other one. */
export const isSafe = (value: bigint | string): boolean => Number.isSafeInteger(Number(value));
