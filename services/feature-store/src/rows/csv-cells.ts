/** The cells of one record of a CSV (RFC 4180): commas between, quotes around what holds a comma, a quote or a line's end. */

export type Cells =
  | { readonly cells: string[] }
  /** A quote is still open at the end. */
  | { readonly open: true }
  /** Why it is no record, and what to do. */
  | { readonly problem: string };

const open: Cells = { open: true };
const behindQuote: Cells = {
  problem: 'something stands behind a closing quote; double the quotes within the cell, or take them away',
};
const strayQuote: Cells = {
  problem: 'a quote stands within a cell that does not begin with one; put the cell in quotes and double those within',
};

/** Reads a record without its line's end. */
export function cellsOf(record: string): Cells {
  if (!record.includes('"')) return { cells: record.split(',') };
  const cells: string[] = [];
  for (let at = 0; at <= record.length; ) {
    const quotedCell = record[at] === '"';
    const end = quotedCell ? closing(record, at) : nextComma(record, at);
    if (end < 0) return open;
    if (quotedCell && end < record.length && record[end] !== ',') return behindQuote;
    const cell = record.slice(at, end);
    if (!quotedCell && cell.includes('"')) return strayQuote;
    cells.push(quotedCell ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    at = end + 1;
  }
  return { cells };
}

/** Where a quoted cell ends, behind its closing quote; -1 where it does not. */
function closing(record: string, from: number): number {
  for (let at = record.indexOf('"', from + 1); at >= 0; at = record.indexOf('"', at + 2))
    if (record[at + 1] !== '"') return at + 1;
  return -1;
}

function nextComma(record: string, from: number): number {
  const comma = record.indexOf(',', from);
  return comma < 0 ? record.length : comma;
}

/** A row as a line of a CSV. */
export const lineOfCells = (cells: readonly string[]): string =>
  cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');

/** Whether a text has an odd number of quotes: it opens or closes a quoted cell. */
export function turnsQuotes(text: string): boolean {
  let odd = false;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) odd = !odd;
  return odd;
}
