/**
 * A batch of rows as lines of JSON columns: small, readable by anything, and read by DuckDB without passing through
 * this process's heap. `{"s":7,"e":[entity…],"t":[event time…],"k":[known-at…],"v":{"column":[cell…]}}`
 */
import { own } from '@driftloop/contracts';
import { literal, quoted } from '../duckdb.js';
import type { Row } from '../views/source-rows.js';

export type Columns = Readonly<Record<string, 'number' | 'text'>>;

interface Line {
  s: number;
  e: string[];
  t: number[];
  k: number[];
  v: Record<string, (number | string | null)[]>;
}

/** Rows in one line, and bytes: DuckDB reads a line as a whole. */
const lineRows = 1000;
const lineBytes = 8 * 1024 * 1024;

/** Rows (cells in the order of the columns' keys) as lines; columns that no row fills are left out. */
export function linesOf(sequence: number, columns: Columns, rows: readonly Row[]): string {
  if (rows.length > lineRows) {
    const parts = Math.ceil(rows.length / lineRows);
    const part = (_: unknown, i: number) => linesOf(sequence, columns, rows.slice(i * lineRows, (i + 1) * lineRows));
    return Array.from({ length: parts }, part).join('\n');
  }
  const line = JSON.stringify(lineOf(sequence, columns, rows));
  if (line.length <= lineBytes || rows.length === 1) return line;
  const middle = rows.length >> 1;
  return `${linesOf(sequence, columns, rows.slice(0, middle))}\n${linesOf(sequence, columns, rows.slice(middle))}`;
}

function lineOf(sequence: number, columns: Columns, rows: readonly Row[]): Line {
  const v: Line['v'] = Object.create(null);
  for (const [c, name] of Object.keys(columns).entries()) {
    if (rows.some(({ cells }) => cells[c] !== undefined)) v[name] = rows.map(({ cells }) => cells[c] ?? null);
  }
  return {
    s: sequence,
    e: rows.map(({ entityId }) => entityId),
    t: rows.map(({ eventTime }) => eventTime),
    k: rows.map(({ knownAt }) => knownAt),
    v,
  };
}

/** The rows of lines, with cells as the columns now declare them. */
export function rowsOfLines(text: string, columns: Columns): Row[] {
  return text.split('\n').flatMap((line) => rowsOfLine(JSON.parse(line) as Line, columns));
}

function rowsOfLine(line: Line, columns: Columns): Row[] {
  const cells = Object.entries(columns).map(([name, kind]) =>
    (own(line.v, name) ?? []).map((cell) => cellAs(kind, cell)),
  );
  return line.e.map((entityId, i) => ({
    entityId,
    eventTime: line.t[i],
    knownAt: line.k[i],
    cells: cells.map((column) => column[i]),
  }));
}

function cellAs(kind: 'number' | 'text', cell: number | string | null): number | string | undefined {
  if (cell === null) return undefined;
  if (kind === 'text') return String(cell);
  const number = Number(cell);
  return Number.isFinite(number) && cell !== '' ? number : undefined;
}

/** A query of the lines in files: seq, e, t, k and the columns as c_<name>, all cells as they were written. */
export function linesSql(files: readonly string[], columns: readonly string[]): string {
  const cells = columns.map((name) => `, unnest(v.${quoted(name)}) AS ${quoted(`c_${name}`)}`);
  const kinds = columns.map((name) => `${quoted(name)} VARCHAR[]`).join(', ') || 'nothing VARCHAR[]';
  return `SELECT s AS seq, unnest(e) AS e, unnest(t) AS t, unnest(k) AS k${cells.join('')}
    FROM read_json([${files.map(literal).join(', ')}], format = 'newline_delimited', maximum_object_size = 16777216,
      columns = {s: 'BIGINT', e: 'VARCHAR[]', t: 'BIGINT[]', k: 'BIGINT[]', v: ${literal(`STRUCT(${kinds})`)}})`;
}
