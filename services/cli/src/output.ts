/** How answers are shown: as JSON, or as aligned columns. */

/** Prints a value as JSON, or with the given text. */
export function show(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value, null, 2) : text());
}

/** Rows as columns; numbers to the right. */
export function columns(header: string[], rows: (string | number)[][]): string {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, c) => Math.max(...cells.map((row) => row[c].length)));
  const right = header.map((_, c) => rows.length > 0 && rows.every((row) => row[c] === '–' || isNumber(row[c])));
  return cells
    .map((row) =>
      row
        .map((cell, c) => (right[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const isNumber = (cell: string | number): boolean => typeof cell === 'number';

/** An event time to the minute. */
export const when = (time: Date | undefined): string => time?.toISOString().slice(0, 16).replace('T', ' ') ?? '–';

/** The beginning of an id: enough to name it by. */
export const shortId = (id: string): string => id.slice(0, 8);

/** A number to four digits. */
export const figure = (x: number): number => Number(x.toPrecision(4));

/** A piece of evidence: what was tested, what was found, and on how much. */
export function evidence(e: {
  test: string;
  subject: string;
  statistic: number;
  threshold: number;
  holds: boolean;
  rows: number;
  days: number;
  note?: string;
}): string {
  const size = e.rows ? `, ${e.rows} rows${e.days ? ` in ${e.days} days` : ''}` : '';
  const subject = e.subject ? ` (${e.subject})` : '';
  return `${e.test.replaceAll('_', ' ')}${subject}: ${figure(e.statistic)} against ${figure(e.threshold)}, ${e.holds ? 'yes' : 'no'}${size}${e.note ? `; ${e.note}` : ''}`;
}
