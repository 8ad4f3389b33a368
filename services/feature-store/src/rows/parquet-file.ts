/**
 * A Parquet file on disk as a file of rows, read by DuckDB.
 *
 * I1  No cell leaves DuckDB longer than what shows that it is too long: a dictionary of one text of a megabyte makes a
 *     gigabyte of a thousand rows, from 48 kB.
 * I2  A Parquet file has rows in proportion to its bytes: distinct rows need some.
 * I3  What is read is decoded to its end before a row of it counts.
 * I4  A column whose type cannot be what it is declared to be is refused by name: a date is no number, a list no text.
 */
import { stat } from 'node:fs/promises';
import { isEventMs, LoopError, textLimits } from '@driftloop/contracts';
import { type Duck, isFull, literal, outOfMemory, quoted } from '../duckdb.js';
import { errors } from '../errors.js';
import type { CellRow, RowFile } from './cell-rows.js';
import { lineOfCells } from './csv-cells.js';
import type { FileColumn, Role } from './file-columns.js';
import { checkFooter } from './parquet-footer.js';

/** Rows of a Parquet file that need no bytes, and those that each byte may have. */
const freeRows = 1_000_000;
const rowsToByte = 8;

/** Throws FILE_UNREADABLE, FILE_EXPANDS or FILE_TOO_COSTLY; when its rows are read, FILE_COLUMN_TYPE too. */
export async function openParquet(duck: Duck, path: string): Promise<RowFile> {
  const types = await readable(path, async () => {
    await checkFooter(path);
    await duck.run(`CREATE TEMP VIEW file AS SELECT * FROM read_parquet(${literal(path)})`);
    await checkRows(duck, path);
    const found = await duck.rows<{ name: string; type: string }>(
      `SELECT column_name AS name, data_type AS type FROM duckdb_columns() WHERE table_name = 'file'`,
    );
    return new Map(found.map(({ name, type }) => [name, type]));
  });
  return {
    found: [...types.keys()],
    header: undefined,
    async *rows(columns) {
      const read = columns.map((column) => cellSql(column, types.get(column.name)!));
      const all = read.map(({ sql }) => `max(${sql})`).join(', ');
      await readable(path, () => duck.run(`SELECT ${all} FROM file`)); // I3
      const query = `SELECT ${read.map(({ sql }) => sql).join(', ')} FROM file`;
      const parts = (await readable(path, () => duck.connection.stream(query))).yieldRowsJs();
      const next = () => readable(path, () => parts.next());
      let index = 0;
      for (let { value, done } = await next(); !done; { value, done } = await next())
        yield (value as (string | null)[][]).map((cells) => rowOf(cells, read, ++index));
    },
  };
}

/** I2: by the row groups, which are what is read. */
async function checkRows({ rows }: Duck, path: string): Promise<void> {
  const [{ found }] = await rows<{ found: number }>(
    `SELECT coalesce(sum(n), 0)::DOUBLE AS found FROM
       (SELECT any_value(row_group_num_rows) AS n FROM parquet_metadata(${literal(path)}) GROUP BY row_group_id)`,
  );
  const limit = freeRows + rowsToByte * (await stat(path)).size;
  if (found > limit) throw errors.FILE_EXPANDS({ format: 'parquet', what: 'rows for its size', limit });
}

/** Reads of a file, with what DuckDB says of it as a typed error; where the machine is at fault, as that. */
async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LoopError || isFull(error as Error)) throw error;
    const { message } = error as Error;
    const format = 'parquet';
    if (outOfMemory(message)) throw errors.FILE_TOO_COSTLY({ format });
    const problem = message.split('\n').find((line) => line.trim() !== '') ?? 'unknown';
    throw errors.FILE_UNREADABLE({ format, problem: problem.replaceAll(path, 'the file') });
  }
}

/** How a cell is read; `instants` come as epoch ms. */
interface CellSql {
  readonly sql: string;
  readonly instants?: boolean;
}

const integer = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/;
const floating = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/;
const textual = /^(VARCHAR|UUID|ENUM\(.*\))$/;

/** I1, I4. Throws FILE_COLUMN_TYPE. */
function cellSql({ name, role }: FileColumn, type: string): CellSql {
  const column = quoted(name);
  const text = (sql: string) => ({ sql: `substring((${sql})::VARCHAR, 1, ${textLimits.text + 1})` });
  if (textual.test(type) || integer.test(type)) return text(column);
  if (floating.test(type)) return text(role === 'number' ? column : wholeSql(column, type));
  if (type === 'BOOLEAN' && role === 'number') return text(`${column}::INT`);
  if (type === 'BOOLEAN' && role === 'text') return text(column);
  if (role !== 'number' && /^TIMESTAMP/.test(type)) return { sql: `epoch_ms(${column})::VARCHAR`, instants: true };
  if (role !== 'number' && type === 'DATE') return text(column);
  throw errors.FILE_COLUMN_TYPE({ column: name, type: type.slice(0, 60), role, remedy: remedies[role] });
}

/** 1001.0, as a table with a gap in it has its ids, is 1001. */
function wholeSql(column: string, type: string): string {
  const isWhole = `${column} = trunc(${column}) AND abs(${column}) < ${2 ** 53}`;
  const nan = type.startsWith('DECIMAL') ? '' : `WHEN isnan(${column}) THEN NULL `;
  return `CASE ${nan}WHEN ${isWhole} THEN ${column}::BIGINT::VARCHAR ELSE ${column}::VARCHAR END`;
}

const remedies: Record<Role, string> = {
  entity: 'write the ids as texts or whole numbers',
  'event time': 'write timestamps, or ISO 8601 texts',
  'known-at': 'write timestamps, or ISO 8601 texts',
  number: 'write numbers or booleans, or declare the column as text',
  text: 'write texts',
};

function rowOf(cells: (string | null)[], read: readonly CellSql[], place: number): CellRow {
  const plain = cells.map((cell, i) => (cell !== null && read[i].instants ? instant(cell) : cell));
  return { where: `row ${place}: `, raw: lineOfCells(plain.map((cell) => cell ?? '')), cells: plain };
}

/** What is no time stays digits, which are refused as those. */
const instant = (ms: string): string => (isEventMs(Number(ms)) ? new Date(Number(ms)).toISOString() : `${ms} ms`);
