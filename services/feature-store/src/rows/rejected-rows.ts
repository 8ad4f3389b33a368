/** The rejected rows of a file: the first hundred by name, and as many as fit as a CSV, to be mended and sent again. */
import type { RejectedRow } from '@driftloop/contracts';
import type { Fault } from './file-row.js';
import type { PlacedRow } from './row-files.js';

/** Listed in a reply. */
export const rejectedShown = 100;
/** Of the CSV, with its header. */
const fileBytes = 1024 ** 2;

export class RejectedRows {
  readonly shown: RejectedRow[] = [];
  count = 0;
  /** Rows in the file. */
  filed = 0;
  private bytes = 0;
  private readonly lines: string[] = [];

  constructor(private readonly header: string) {
    this.bytes = Buffer.byteLength(header) + 1;
  }

  add({ index, where, raw }: PlacedRow, { code, reason }: Fault): void {
    this.count++;
    if (this.shown.length < rejectedShown) this.shown.push({ index, code, reason: where + reason });
    const line = ended(raw);
    this.bytes += Buffer.byteLength(line);
    // Once one does not fit none does, so that those that are in it are the first.
    if (this.bytes > fileBytes) return;
    this.filed++;
    this.lines.push(line);
  }

  /** Empty where no row was rejected. */
  get file(): Buffer {
    return this.filed ? Buffer.from(ended(this.header) + this.lines.join('')) : Buffer.alloc(0);
  }
}

const ended = (line: string): string => (/[\r\n]$/.test(line) ? line : `${line}\n`);
