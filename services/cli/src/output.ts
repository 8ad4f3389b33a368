/** How answers are shown: as JSON, or as aligned columns. */

/** Prints a value as JSON, or with the given text. */
export function show(json: boolean | undefined, value: unknown, text: () => string): void {
  console.log(json ? JSON.stringify(value, null, 2) : text());
}

/** Rows as columns; numbers to the right. */
export function columns(header: string[], rows: (string | number)[][]): string {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, c) => Math.max(...cells.map((row) => row[c].length)));
  const right = header.map((_, c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number'));
  return cells
    .map((row) =>
      row
        .map((cell, c) => (right[c] ? cell.padStart(widths[c]) : cell.padEnd(widths[c])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** An event time to the minute. */
export const when = (time: Date | undefined): string => time?.toISOString().slice(0, 16).replace('T', ' ') ?? '–';
