/**
 * Files of rows, read by DuckDB: CSV and Parquet, by the column names that the spec gives.
 *
 * I1  No cell leaves DuckDB longer than what shows that it is too long: a dictionary of one text of a megabyte makes a
 *     gigabyte of a thousand rows, from 48 kB.
 * I2  A Parquet file has rows in proportion to its bytes: distinct rows need some.
 */
import { stat } from 'node:fs/promises';
import {
  LoopError,
  type ModelSpec,
  type RejectedRow,
  type SourceRow,
  textLimits,
  type Value,
} from '@driftloop/contracts';
import { type Duck, isFull, literal, outOfMemory, quoted } from '../duckdb.js';
import { errors } from '../errors.js';
import { timeOfText } from './intake.js';
import { checkFooter } from './parquet-footer.js';

export const formats = ['csv', 'csv.gz', 'parquet'] as const;
export type Format = (typeof formats)[number];

/** Rows of a file with their indexes in it; or rows that are not even rows. */
export type FilePart = { rows: SourceRow[]; indexes: number[] } | { broken: RejectedRow[] };

type SourceSpec = ModelSpec['spec']['sources'][string];

/** Rows of a Parquet file that need no bytes, and those that each byte may have. */
const freeRows = 1_000_000;
const rowsToByte = 8;

const absent = new Set(['', 'NaN', 'nan', 'NULL', 'null']);

/**
 * Reads a local file part by part; one that was gzipped has been unpacked. Throws FILE_UNREADABLE, FILE_EXPANDS or
 * FILE_COLUMN_MISSING, mostly before the first row.
 */
export async function* rowsOfFile(
  duck: Duck,
  path: string,
  format: Format,
  source: SourceSpec,
): AsyncGenerator<FilePart> {
  const broken = await readable(path, format, () => load(duck, path, format));
  const found = await duck.rows<{ name: string; type: string }>(
    `SELECT column_name AS name, data_type AS type FROM duckdb_columns() WHERE table_name = 'file'`,
  );
  const { entity, eventTime, knownAt } = source.file;
  const names = found.map(({ name }) => name);
  const missing = [entity, eventTime, knownAt].filter((name) => !names.includes(name));
  if (missing.length) throw errors.FILE_COLUMN_MISSING({ missing, found: names });
  const columns = Object.keys(source.columns).filter((name) => names.includes(name));
  const selected = [entity, eventTime, knownAt, ...columns].map((name) => textSql(found.find((c) => c.name === name)!));
  if (broken.length) yield { broken };
  const skipped = broken.map(({ index }) => index);
  const query = `SELECT ${selected.join(', ')} FROM file`;
  const parts = (await readable(path, format, () => duck.connection.stream(query))).yieldRowsJs();
  const next = () => readable(path, format, () => parts.next());
  let index = 0;
  for (let { value: part, done } = await next(); !done; { value: part, done } = await next()) {
    const indexes = part.map(() => {
      while (skipped[0] === index) {
        skipped.shift();
        index++;
      }
      return index++;
    });
    const texts = part as (string | null)[][];
    yield { rows: texts.map((cells) => sourceRow(cells, columns, source.columns)), indexes };
  }
}

/** Puts a file into the table `file`, and lists the lines of a CSV that are no rows. */
async function load({ run, rows }: Duck, path: string, format: Format): Promise<RejectedRow[]> {
  if (format === 'parquet') {
    await checkFooter(path);
    await run(`CREATE TEMP VIEW file AS SELECT * FROM read_parquet(${literal(path)})`);
    await checkRows(rows, path);
    return [];
  }
  await run(
    `CREATE TEMP TABLE file AS SELECT * FROM read_csv(${literal(path)}, compression = 'none', header = true,
     delim = ',', quote = '"', escape = '"', all_varchar = true, store_rejects = true, parallel = false)`,
  );
  return (
    await rows<{ line: number; problem: string }>(
      'SELECT line::DOUBLE AS line, any_value(error_message) AS problem FROM reject_errors GROUP BY line ORDER BY line',
    )
  ).map(({ line, problem }) => ({
    index: line - 2,
    code: 'LINE_BROKEN',
    reason: `line ${line}: ${firstLine(problem)}`,
  }));
}

/** I2: by the row groups, which are what is read. */
async function checkRows(rows: Duck['rows'], path: string): Promise<void> {
  const [{ found }] = await rows<{ found: number }>(
    `SELECT coalesce(sum(n), 0)::DOUBLE AS found FROM
       (SELECT any_value(row_group_num_rows) AS n FROM parquet_metadata(${literal(path)}) GROUP BY row_group_id)`,
  );
  const limit = freeRows + rowsToByte * (await stat(path)).size;
  if (found > limit) throw errors.FILE_EXPANDS({ format: 'parquet', what: 'rows for its size', limit });
}

/** Reads of a file, with what DuckDB says of it as a typed error; where the machine is at fault, as that. */
async function readable<T>(path: string, format: Format, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof LoopError || isFull(error as Error)) throw error;
    const { message } = error as Error;
    if (outOfMemory(message)) throw errors.FILE_TOO_COSTLY({ format });
    throw errors.FILE_UNREADABLE({ format, problem: firstLine(message).replaceAll(path, 'the file') });
  }
}

/** I1 */
function textSql({ name, type }: { name: string; type: string }): string {
  const isTime = type.startsWith('TIMESTAMP') || type === 'DATE';
  return `substring(${isTime ? `epoch_ms(${quoted(name)})` : quoted(name)}::VARCHAR, 1, ${textLimits.text + 1})`;
}

function sourceRow(cells: (string | null)[], columns: string[], kinds: SourceSpec['columns']): SourceRow {
  const [entityId, eventTime, knownAt, ...rest] = cells;
  const values: Record<string, Value> = Object.create(null);
  columns.forEach((name, i) => {
    const text = rest[i];
    if (text !== null && !(kinds[name] === 'number' && absent.has(text))) values[name] = cellValue(kinds[name], text);
  });
  return {
    entityId: entityId ?? '',
    eventTime: eventTime ? timeOfText(eventTime) : undefined,
    knownAt: knownAt ? timeOfText(knownAt) : undefined,
    values,
  };
}

function cellValue(kind: 'number' | 'text', text: string): Value {
  const number = Number(text);
  // What is no number stays a text, which intake refuses by name.
  if (kind === 'number' && !Number.isNaN(number)) return { kind: { $case: 'number', value: number } };
  return { kind: { $case: 'text', value: text } };
}

function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '') ?? 'unknown';
}
