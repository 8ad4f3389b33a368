/** Batches as a file of lines, for DuckDB, and as a segment in the object store. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Objects } from '@driftloop/objects';
import { literal, withDuckDB } from '../duckdb.js';
import type { BatchDocument, SegmentDocument } from '../feature-store.documents.js';
import type { Row } from '../views/source-rows.js';
import { type Columns, linesSql } from './lines.js';

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

/** Whose segment it is: a stream's; a leader's number keeps its objects apart from those of a leader before it. */
export interface SegmentOwner {
  readonly stream: string;
  readonly columns: Columns;
  readonly fence: number;
}

export type WrittenSegment = Omit<SegmentDocument, '_id' | 'stream' | 'first' | 'watermarks' | 'fence'> & {
  /** Rows of its batches, those included that were there before. */
  readonly appended: number;
};

/** Makes a Parquet object of batches, a row that was stored twice once; undefined when there are none. */
export function writeSegment(
  objects: Objects,
  { stream, columns, fence }: SegmentOwner,
  batches: AsyncIterable<BatchDocument>,
): Promise<WrittenSegment | undefined> {
  return withDuckDB(async (duck) => {
    const lines = await writeLines(duck.folder, batches);
    if (!lines) return undefined;
    const path = `${duck.folder}/segment.parquet`;
    const names = Object.keys(columns);
    const once = `SELECT * FROM (${linesSql([lines.path], names)})
      QUALIFY row_number() OVER (PARTITION BY e, t, k ORDER BY seq) = 1 ORDER BY seq, k, t, e`;
    await duck.run(`COPY (${once}) TO ${literal(path)} (FORMAT PARQUET, COMPRESSION zstd)`);
    const [newest] = await duck.rows<{ n: number; k: number; t: number }>(
      `SELECT count(*)::DOUBLE AS n, max(k)::DOUBLE AS k, max(t)::DOUBLE AS t FROM ${literal(path)}`,
    );
    const [tenant, ...rest] = stream.split('/');
    const name = `${String(lines.last).padStart(12, '0')}${fence ? `-${fence}` : ''}.parquet`;
    const objectKey = `${tenant}/rows/${rest.join('/')}/${name}`;
    const { sha256 } = await objects.putFile(objectKey, path);
    const { rows: appended, last } = lines;
    return {
      rows: newest.n,
      appended,
      last,
      objectKey,
      sha256,
      columns: names,
      newestKnownAt: newest.k ?? 0,
      newestEventTime: newest.t ?? 0,
    };
  });
}

/** Rows of a segment in their order, those that the condition lets through, with cells as the columns now declare them. */
export async function readSegment(
  objects: Objects,
  segment: SegmentDocument,
  columns: Columns,
  where: string,
): Promise<Row[]> {
  const path = await objects.getFile(segment.objectKey, segment.sha256);
  const cells = Object.entries(columns).map(([name, kind]) => {
    if (!segment.columns.includes(name)) return ', NULL';
    return kind === 'number' ? `, TRY_CAST("c_${name}" AS DOUBLE)` : `, "c_${name}"`;
  });
  const sql = `SELECT e, t::DOUBLE, k::DOUBLE${cells.join('')} FROM ${literal(path)} ${where} ORDER BY seq`;
  const rows = await withDuckDB(async ({ connection }) => (await connection.runAndReadAll(sql)).getRowsJS());
  return rows.map(([e, t, k, ...values]) => ({
    entityId: e as string,
    eventTime: t as number,
    knownAt: k as number,
    cells: values.map((value) => (value ?? undefined) as Row['cells'][number]),
  }));
}
