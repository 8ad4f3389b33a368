/** A CSV on disk as a file of rows. It is read twice: what cannot be read to its end is refused before a row of it counts. */
import { errors } from '../errors.js';
import type { CellRow, RowFile } from './cell-rows.js';
import { type CsvRecord, csvRecords } from './csv-records.js';
import { textsOf } from './text-encoding.js';

/** Throws FILE_UNREADABLE or FILE_EXPANDS. */
export async function openCsv(path: string): Promise<RowFile> {
  let first: CsvRecord | undefined;
  for await (const records of csvRecords(textsOf(path))) first ??= records[0];
  const header = headerOf(first);
  const found = header.cells.map((name) => name.trim());
  return {
    found,
    header: header.raw,
    async *rows(columns) {
      const places = columns.map(({ name }) => found.indexOf(name));
      let isFirst = true;
      for await (const records of csvRecords(textsOf(path))) {
        const rows = isFirst ? records.slice(1) : records;
        if (records.length) isFirst = false;
        yield rows.map((record) => rowOf(record, found.length, places));
      }
    },
  };
}

function headerOf(first: CsvRecord | undefined): { raw: string; cells: string[] } {
  const unreadable = (problem: string) => errors.FILE_UNREADABLE({ format: 'csv', problem });
  if (!first) throw unreadable('it is empty; its first line must name its columns');
  const { raw, read, line } = first;
  if (raw.includes('\0')) throw unreadable('it holds NUL bytes; save it as UTF-8, or as UTF-16 with a byte-order mark');
  if ('problem' in read) throw unreadable(`line ${line}, its header: ${read.problem}`);
  return { raw, cells: read.cells };
}

function rowOf({ line, raw, read }: CsvRecord, width: number, places: readonly number[]): CellRow {
  const where = `line ${line}: `;
  if ('problem' in read) return { where, raw, problem: read.problem };
  const { cells } = read;
  const problem = `it has ${cells.length} cells, and the header ${width}; give it as many, in quotes where they hold a comma`;
  if (cells.length !== width) return { where, raw, problem };
  return { where, raw, cells: places.map((place) => cells[place]) };
}
