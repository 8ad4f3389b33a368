/**
 * The bytes of a text file as texts. UTF-8, with or without a byte-order mark, and UTF-16 with one; in every other encoding
 * letters cannot be told from one another, and what is no UTF-8 is marked for whoever reads the cells.
 */
import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';

/** Stands for bytes that are no UTF-8. */
export const unreadable = '\ufffd';

/** The texts of a file, in order. */
export async function* textsOf(path: string): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    decoder ??= new TextDecoder(encodingOf(chunk));
    yield decoder.decode(chunk, { stream: true });
  }
  if (decoder) yield decoder.decode();
}

/** By the byte-order mark, which the decoder takes away. */
function encodingOf([first, second]: Buffer): string {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}
