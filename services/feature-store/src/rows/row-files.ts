/** Files of rows, read by DuckDB: CSV (also gzipped) and Parquet, by the column names that the spec gives. */
import type { ModelSpec, RejectedRow, SourceRow, Value } from '@driftloop/contracts';
import { type Duck, literal, quoted } from '../duckdb.js';
import { errors } from '../errors.js';
import { timeOfText } from './intake.js';

export const formats = ['csv', 'csv.gz', 'parquet'] as const;
export type Format = (typeof formats)[number];

/** Rows of a file with their indexes in it; or rows that are not even rows. */
export type FilePart = { rows: SourceRow[]; indexes: number[] } | { broken: RejectedRow[] };

type SourceSpec = ModelSpec['spec']['sources'][string];

const absent = new Set(['', 'NaN', 'nan', 'NULL', 'null']);

/** Reads a local file part by part. Throws FILE_UNREADABLE or FILE_COLUMN_MISSING before the first row. */
export async function* rowsOfFile(
  duck: Duck,
  path: string,
  format: Format,
  source: SourceSpec,
): AsyncGenerator<FilePart> {
  const broken = await load(duck, path, format);
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
  const result = await duck.connection.stream(`SELECT ${selected.join(', ')} FROM file`);
  let index = 0;
  for await (const part of result.yieldRowsJs()) {
    const indexes = part.map(() => {
      while (skipped[0] === index) {
        skipped.shift();
        index++;
      }
      return index++;
    });
    yield { rows: part.map((cells) => sourceRow(cells as (string | null)[], columns, source.columns)), indexes };
  }
}

/** Puts a file into the table `file`, and lists the lines of a CSV that are no rows. */
async function load({ run, rows }: Duck, path: string, format: Format): Promise<RejectedRow[]> {
  try {
    if (format === 'parquet') {
      await run(`CREATE TEMP VIEW file AS SELECT * FROM read_parquet(${literal(path)})`);
      return [];
    }
    const compression = format === 'csv.gz' ? 'gzip' : 'none';
    await run(
      `CREATE TEMP TABLE file AS SELECT * FROM read_csv(${literal(path)}, compression = '${compression}', header = true,
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
  } catch (error) {
    throw errors.FILE_UNREADABLE({ format, problem: firstLine((error as Error).message).replaceAll(path, 'the file') });
  }
}

function textSql({ name, type }: { name: string; type: string }): string {
  const isTime = type.startsWith('TIMESTAMP') || type === 'DATE';
  return `${isTime ? `epoch_ms(${quoted(name)})` : quoted(name)}::VARCHAR`;
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
