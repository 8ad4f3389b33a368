/**
 * DuckDB, used and thrown away: an in-memory database with limits of its own and a folder for what it spills and reads.
 *
 * I1  Queries run on DuckDB's own threads; the event loop only waits.
 * I2  When the work is over, its memory and its folder are gone, whatever happened.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** A database at work. */
export interface Duck {
  readonly connection: DuckDBConnection;
  /** An empty folder, gone afterwards. */
  readonly folder: string;
  /** Runs statements in order. */
  run(...statements: string[]): Promise<void>;
  /** The rows of a query as plain objects. */
  rows<T>(sql: string): Promise<T[]>;
}

/** Threads and memory of one database. */
export const limits = { threads: '2', memory_limit: '300MB' };

/** A quoted SQL text. */
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** A quoted SQL name. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Opens a database, works, and closes it. */
export async function withDuckDB<T>(work: (duck: Duck) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-features-'));
  try {
    const instance = await DuckDBInstance.create(':memory:', { ...limits, temp_directory: join(folder, 'spill') });
    const connection = await instance.connect();
    try {
      return await work(duckOf(connection, folder));
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function duckOf(connection: DuckDBConnection, folder: string): Duck {
  return {
    connection,
    folder,
    run: async (...statements) => {
      for (const sql of statements) await connection.run(sql);
    },
    rows: async <T>(sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJS() as T[],
  };
}
