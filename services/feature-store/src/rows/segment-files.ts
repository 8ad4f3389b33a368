/** Batches as a file of lines, for DuckDB. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BatchDocument } from '../feature-store.documents.js';

let files = 0;

export interface LinesFile {
  readonly path: string;
  readonly rows: number;
  /** Sequence of the last batch. */
  readonly last: number;
}

/** Writes batches as lines into a new file of a folder; undefined when there are none. Holds a few in memory. */
export async function writeLines(
  folder: string,
  batches: AsyncIterable<BatchDocument>,
): Promise<LinesFile | undefined> {
  const path = join(folder, `lines-${++files}.ndjson`);
  let rows = 0;
  let last: number | undefined;
  async function* lines() {
    for await (const batch of batches) {
      rows += batch.rows;
      last = batch.sequence;
      if (batch.rows) yield `${batch.lines}\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(path));
  return last === undefined ? undefined : { path, rows, last };
}
