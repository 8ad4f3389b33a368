/** Files of rows: opened by their format, read by the column names that the spec gives, part by part. */
import type { SourceRow } from '@driftloop/contracts';
import type { Duck } from '../duckdb.js';
import type { CellRow } from './cell-rows.js';
import { lineOfCells } from './csv-cells.js';
import { openCsv } from './csv-file.js';
import { type FileColumn, fileColumns, type SourceSpec } from './file-columns.js';
import { type Fault, rowOfCells } from './file-row.js';
import { openParquet } from './parquet-file.js';

export const formats = ['csv', 'csv.gz', 'parquet'] as const;
export type Format = (typeof formats)[number];

/** A row of a file, by its index in it (from 0, blank lines aside). */
export interface PlacedRow {
  readonly index: number;
  readonly where: string;
  readonly raw: string;
  readonly row: { readonly sent: SourceRow } | Fault;
}

export interface ReadFile {
  /** Columns that the source does not declare, and nobody reads. */
  readonly unknown: readonly string[];
  /** The first line of a CSV of `raw` rows. */
  readonly header: string;
  readonly parts: AsyncGenerator<PlacedRow[]>;
}

/**
 * Opens a local file; one that was gzipped has been unpacked. Throws FILE_UNREADABLE, FILE_EXPANDS, FILE_TOO_COSTLY,
 * FILE_COLUMN_MISSING, FILE_COLUMN_TWICE, or (with its first part) FILE_COLUMN_TYPE; before the first row, all of them.
 */
export async function openFile(duck: Duck, path: string, format: Format, source: SourceSpec): Promise<ReadFile> {
  const file = format === 'parquet' ? await openParquet(duck, path) : await openCsv(path);
  const { read, unknown } = fileColumns(file.found, source);
  const header = file.header ?? lineOfCells(read.map(({ name }) => name));
  return { unknown, header, parts: placed(file.rows(read), read) };
}

async function* placed(parts: AsyncGenerator<CellRow[]>, columns: readonly FileColumn[]): AsyncGenerator<PlacedRow[]> {
  let index = 0;
  for await (const part of parts) yield part.map((row) => placedRow(row, columns, index++));
}

function placedRow(found: CellRow, columns: readonly FileColumn[], index: number): PlacedRow {
  const { where, raw } = found;
  const row = 'cells' in found ? rowOfCells(found.cells, columns) : { code: 'LINE_BROKEN', reason: found.problem };
  return { index, where, raw, row };
}
