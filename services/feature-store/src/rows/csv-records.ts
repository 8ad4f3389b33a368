/**
 * The records of a CSV, each with its line in the file and as it stands there.
 *
 * I1  A record that is broken costs its own line alone: where a quote never ends, what it would swallow is read again.
 * I2  Blank lines are no records, and count as lines.
 * I3  What is kept is bounded: a line, or a record over several, is at most so long. A line is read again once at most: one
 *     that leaves a quote open has an odd number of them, so that the next such line ends what the one before began.
 */
import { errors } from '../errors.js';
import { type Cells, cellsOf, turnsQuotes } from './csv-cells.js';

export interface CsvRecord {
  /** From 1, as an editor counts. */
  readonly line: number;
  /** With the ends of its lines. */
  readonly raw: string;
  readonly read: Extract<Cells, { cells: unknown } | { problem: unknown }>;
}

export interface CsvLimits {
  readonly columns: number;
  readonly recordLength: number;
}

export const csvLimits: CsvLimits = { columns: 1000, recordLength: 256 * 1024 };

/** Reads texts in parts of records. Throws FILE_EXPANDS or FILE_UNREADABLE. */
export async function* csvRecords(
  texts: AsyncIterable<string>,
  limits: CsvLimits = csvLimits,
): AsyncGenerator<CsvRecord[]> {
  const reader = new Records(limits);
  let rest = '';
  for await (const text of texts) {
    const lines = (rest + text).split(lineEnds);
    rest = lines.pop()!;
    // A line feed may follow.
    if (rest === '' && lines.at(-1)?.endsWith('\r')) rest = lines.pop()!;
    yield reader.take(lines, false);
    if (rest.length > limits.recordLength) throw reader.tooLong(reader.waiting);
  }
  yield reader.take(rest ? [rest] : [], true);
}

/** I1 */
const neverEnds = {
  problem: 'a cell begins with a quote and does not end with one; close the quote, and double those within the cell',
};

/** Behind each end of a line. */
const lineEnds = /(?<=\n|\r(?!\n))/;

class Records {
  /** Lines of a record that is not whole yet. */
  private pending: string[] = [];
  /** The line of the first that is pending. */
  private line = 1;

  constructor(private readonly limits: CsvLimits) {}

  /** Lines that wait for the rest of their record. */
  get waiting(): number {
    return this.pending.length;
  }

  /** The records that are whole with these lines, or whatever is left at the end. */
  take(added: readonly string[], last: boolean): CsvRecord[] {
    const lines = this.pending.length ? [...this.pending, ...added] : added;
    const records: CsvRecord[] = [];
    let at = 0;
    for (let taken = 1; at < lines.length; at += taken) {
      if (lines[at].length > this.limits.recordLength) throw this.tooLong(at);
      const record = this.recordAt(lines, at, last);
      if (!record) break;
      taken = record.lines;
      if (record.raw.trim() !== '') records.push({ line: this.line + at, raw: record.raw, read: record.read });
    }
    this.line += at;
    this.pending = lines.slice(at);
    return records;
  }

  tooLong(ahead: number): Error {
    const what = `characters in line ${this.line + ahead}`;
    return errors.FILE_EXPANDS({ format: 'csv', what, limit: this.limits.recordLength });
  }

  /** The record that begins with a line; undefined where more of it may come. */
  private recordAt(lines: readonly string[], at: number, last: boolean) {
    const first = this.read(lines[at], at);
    if (!('open' in first)) return { raw: lines[at], read: first, lines: 1 };
    let length = lines[at].length;
    for (let end = at + 1; end < lines.length && length <= this.limits.recordLength; end++) {
      length += lines[end].length;
      if (!turnsQuotes(lines[end])) continue;
      const raw = lines.slice(at, end + 1).join('');
      const read = this.read(raw, at);
      if ('cells' in read) return { raw, read, lines: end + 1 - at };
      if ('problem' in read) return { raw: lines[at], read: neverEnds, lines: 1 };
    }
    if (!last && length <= this.limits.recordLength) return undefined;
    return { raw: lines[at], read: neverEnds, lines: 1 };
  }

  private read(raw: string, at: number): Cells {
    const read = cellsOf(raw.replace(/\r?\n$|\r$/, ''));
    const { columns } = this.limits;
    if ('cells' in read && read.cells.length > columns) {
      const what = `columns in line ${this.line + at}`;
      throw errors.FILE_EXPANDS({ format: 'csv', what, limit: columns });
    }
    return read;
  }
}
