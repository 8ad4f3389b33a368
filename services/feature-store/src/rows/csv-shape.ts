/**
 * Looks over the bytes of a CSV before DuckDB does: how wide it is, how long its lines are, and what its broken lines would
 * cost. DuckDB keeps an error a superfluous cell, each with a copy of its line: a thousand lines of a thousand cells, 2 MB
 * in all, took it 160 s and 6 GB.
 *
 * I1  A byte is looked at once, and nothing of a line is kept.
 * I2  It only ends what is hopeless: which lines are broken, and why, DuckDB says.
 */
import { errors } from '../errors.js';
import { Utf8Check } from './utf8-check.js';

export interface ShapeLimits {
  readonly columns: number;
  readonly lineBytes: number;
  /** What DuckDB may have to keep of broken lines. */
  readonly brokenBytes: number;
}

export const shapeLimits: ShapeLimits = { columns: 1000, lineBytes: 256 * 1024, brokenBytes: 64 * 1024 ** 2 };

/** What an error costs without its line. */
const errorBytes = 4 * 1024;
const [comma, quote, lineFeed, carriageReturn] = Buffer.from(',"\n\r');

type Place = 'cell begins' | 'in a cell' | 'in quotes' | 'after a quote';

class CsvShape {
  private place: Place = 'cell begins';
  private line = 1;
  private bytes = 0;
  private columns = 1;
  private header = 0;
  private misquoted = false;
  private broken = 0;
  private before = lineFeed;
  private readonly utf8 = new Utf8Check();

  constructor(private readonly limits: ShapeLimits) {}

  /** I1. Throws FILE_EXPANDS. */
  look(chunk: Buffer): void {
    for (const byte of chunk) {
      this.bytes++;
      const ends = this.place !== 'in quotes' && (byte === lineFeed || byte === carriageReturn);
      if (!ends) this.within(byte);
      else if (byte === lineFeed && this.before === carriageReturn && this.bytes === 1) this.bytes = 0;
      else this.endLine();
      this.before = byte;
      if (this.bytes > this.limits.lineBytes) throw this.beyond('bytes', this.limits.lineBytes);
    }
  }

  private within(byte: number): void {
    if (!this.utf8.take(byte)) this.misquoted = true;
    if (byte === quote) this.place = this.afterQuote();
    else if (this.place === 'in quotes') return;
    else if (byte === comma) this.endCell();
    else {
      if (this.place === 'after a quote') this.misquoted = true;
      this.place = 'in a cell';
    }
  }

  private afterQuote(): Place {
    if (this.place === 'in quotes') return 'after a quote';
    return this.place === 'in a cell' ? 'in a cell' : 'in quotes';
  }

  private endCell(): void {
    this.place = 'cell begins';
    if (++this.columns > this.limits.columns) throw this.beyond('columns', this.limits.columns);
  }

  private endLine(): void {
    if (this.bytes > 1) this.judge();
    this.line++;
    this.bytes = 0;
    this.columns = 1;
    this.misquoted = false;
    this.place = 'cell begins';
  }

  private judge(): void {
    this.header ||= this.columns;
    const faults = Math.max(this.misquoted ? 1 : 0, this.columns - this.header, this.columns < this.header ? 1 : 0);
    this.broken += faults * (this.bytes + errorBytes);
    if (this.broken > this.limits.brokenBytes) {
      const problem = `too many of its lines up to line ${this.line} do not have the ${this.header} cells of its header`;
      throw errors.FILE_UNREADABLE({ format: 'csv', problem });
    }
  }

  private beyond(what: string, limit: number): Error {
    return errors.FILE_EXPANDS({ format: 'csv', what: `${what} in line ${this.line}`, limit });
  }
}

/** A stage of a pipeline: the bytes as they are, once they have been looked at. */
export function shaped(limits: ShapeLimits = shapeLimits) {
  return async function* (plain: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const shape = new CsvShape(limits);
    for await (const chunk of plain) {
      shape.look(chunk);
      yield chunk;
    }
  };
}
