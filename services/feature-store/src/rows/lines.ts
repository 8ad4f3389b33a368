/**
 * A batch of rows as one line of JSON columns: small, readable by anything, and read by DuckDB without passing through
 * this process's heap. `{"s":7,"e":[entity…],"t":[event time…],"k":[known-at…],"v":{"column":[cell…]}}`
 */
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

/** Rows (cells in the order of the columns' keys) as a line; columns that no row fills are left out. */
export function lineOf(sequence: number, columns: Columns, rows: readonly Row[]): string {
  const v: Line['v'] = {};
  Object.keys(columns).forEach((name, c) => {
    if (rows.some(({ cells }) => cells[c] !== undefined)) v[name] = rows.map(({ cells }) => cells[c] ?? null);
  });
  const line: Line = {
    s: sequence,
    e: rows.map(({ entityId }) => entityId),
    t: rows.map(({ eventTime }) => eventTime),
    k: rows.map(({ knownAt }) => knownAt),
    v,
  };
  return JSON.stringify(line);
}

/** The rows of a line, with cells as the columns now declare them. */
export function rowsOfLine(text: string, columns: Columns): Row[] {
  const line = JSON.parse(text) as Line;
  const cells = Object.entries(columns).map(([name, kind]) => (line.v[name] ?? []).map((cell) => cellAs(kind, cell)));
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
    FROM read_json([${files.map(literal).join(', ')}], format = 'newline_delimited', maximum_object_size = 67108864,
      columns = {s: 'BIGINT', e: 'VARCHAR[]', t: 'BIGINT[]', k: 'BIGINT[]', v: ${literal(`STRUCT(${kinds})`)}})`;
}
