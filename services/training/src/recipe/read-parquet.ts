/**
 * Reads the feature store's training set from a Parquet file into typed arrays, by DuckDB on this thread.
 *
 * I1  Times may be epoch milliseconds or timestamps; cohorts are computed from the spec, not read.
 */

import type { Column } from '@driftloop/algorithms';
import { cohortStart, featureColumns, type ModelSpec } from '@driftloop/contracts';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { errors } from '../errors.js';
import type { TrainingTable } from './table.js';

const TIMES = ['question_time', 'entity_time', 'label_known_at'] as const;

/** Nothing is fetched, and nothing spilled where the process happens to have been started. */
const limits = {
  threads: '1',
  memory_limit: '1GB',
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
};

/** The table of a file. Throws DATASET_INVALID when a column is not there, or a label is neither 0 nor 1. */
export async function readTrainingSet(path: string, spec: ModelSpec, uri = path): Promise<TrainingTable> {
  const instance = await DuckDBInstance.create(':memory:', limits);
  const connection = await instance.connect();
  try {
    const file = `read_parquet('${path.replaceAll("'", "''")}')`;
    const types = await columnTypes(connection, file, uri);
    const features = featureColumns(spec);
    checkColumns(types, ['entity_id', 'label', ...TIMES, ...features.map(({ name }) => name)], uri);
    const selected = [
      ...TIMES.map((name) => timeSql(name, types.get(name) as string)),
      'label::DOUBLE',
      ...features.map(({ name, kind }) => `${quoted(name)}::${kind === 'text' ? 'VARCHAR' : 'DOUBLE'}`),
    ];
    const sql = `SELECT ${selected.join(', ')} FROM ${file} ORDER BY question_time, entity_id, entity_time`;
    const count = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM ${file}`);
    const filler = new Filler(Number(count.getRows()[0][0]), features);
    const result = await connection.stream(sql);
    for (let chunk = await result.fetchChunk(); chunk?.rowCount; chunk = await result.fetchChunk()) filler.add(chunk);
    return filler.table(spec, uri);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Column names with their SQL types. */
async function columnTypes(connection: DuckDBConnection, file: string, uri: string): Promise<Map<string, string>> {
  try {
    const description = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`);
    return new Map(description.getRows().map(([name, type]) => [String(name), String(type)]));
  } catch {
    throw errors.DATASET_INVALID({ uri, found: 'it is not a Parquet file' });
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const timeSql = (name: string, type: string): string =>
  type.startsWith('TIMESTAMP') ? `epoch_ms(${name})::DOUBLE` : `${name}::DOUBLE`;

function checkColumns(types: ReadonlyMap<string, string>, wanted: readonly string[], uri: string): void {
  const missing = wanted.filter((name) => !types.has(name));
  if (missing.length) throw errors.DATASET_INVALID({ uri, found: `it has no column ${missing.join(', ')}` });
}

interface Chunk {
  readonly rowCount: number;
  getColumnVector(column: number): { getItem(row: number): unknown };
}

/** Grows the arrays chunk by chunk. */
class Filler {
  #row = 0;
  readonly #times: readonly Float64Array[];
  readonly #labels: Float64Array;
  readonly #numbers: (Float64Array | undefined)[];
  readonly #texts: ({ codes: Int32Array; dictionary: Map<string, number> } | undefined)[];

  constructor(
    private readonly rows: number,
    private readonly features: readonly { name: string; kind: 'number' | 'text' }[],
  ) {
    this.#times = TIMES.map(() => new Float64Array(rows));
    this.#labels = new Float64Array(rows);
    this.#numbers = features.map(({ kind }) => (kind === 'number' ? new Float64Array(rows) : undefined));
    this.#texts = features.map(({ kind }) =>
      kind === 'text' ? { codes: new Int32Array(rows), dictionary: new Map() } : undefined,
    );
  }

  add(chunk: Chunk): void {
    const fill = (column: number, to: Float64Array) => {
      const vector = chunk.getColumnVector(column);
      for (let i = 0; i < chunk.rowCount; i++) to[this.#row + i] = (vector.getItem(i) as number | null) ?? Number.NaN;
    };
    this.#times.forEach((to, t) => {
      fill(t, to);
    });
    fill(TIMES.length, this.#labels);
    this.features.forEach((_, f) => {
      const column = TIMES.length + 1 + f;
      const numbers = this.#numbers[f];
      if (numbers) fill(column, numbers);
      else this.#encode(chunk.getColumnVector(column), chunk.rowCount, f);
    });
    this.#row += chunk.rowCount;
  }

  #encode(vector: { getItem(row: number): unknown }, rows: number, feature: number): void {
    const { codes, dictionary } = this.#texts[feature] as { codes: Int32Array; dictionary: Map<string, number> };
    for (let i = 0; i < rows; i++) {
      const text = vector.getItem(i) as string | null;
      let code = -1;
      if (text) {
        code = dictionary.get(text) ?? dictionary.size;
        if (code === dictionary.size) dictionary.set(text, code);
      }
      codes[this.#row + i] = code;
    }
  }

  table(spec: ModelSpec, uri: string): TrainingTable {
    const odd = this.#labels.findIndex((label) => label !== 0 && label !== 1);
    if (odd >= 0) throw errors.DATASET_INVALID({ uri, found: `row ${odd} has the label ${this.#labels[odd]}` });
    const [questionTimes, entityTimes, knownAt] = this.#times;
    const columns = this.features.map(({ name }, f): Column => {
      const values = this.#numbers[f];
      if (values) return { name, kind: 'numeric', values };
      const { codes, dictionary } = this.#texts[f] as { codes: Int32Array; dictionary: Map<string, number> };
      return { name, kind: 'categorical', codes, categories: [...dictionary.keys()] };
    });
    return {
      rows: this.rows,
      columns,
      labels: Uint8Array.from(this.#labels),
      questionTimes,
      knownAt,
      cohorts: entityTimes.map((time) => cohortStart(spec, time)),
    };
  }
}
