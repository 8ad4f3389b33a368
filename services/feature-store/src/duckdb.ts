/**
 * DuckDB: one in-memory database a process with limits of its own; each piece of work has a connection, temporary
 * tables and a folder for files.
 *
 * I1  Queries run on DuckDB's own threads; the event loop only waits.
 * I2  When the work is over, its tables and its folder are gone, whatever happened. Tables are dropped, and their memory
 *     is given back, by DuckDB's threads: closing the database would do it on this one (200 ms after a large join).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { errors } from './errors.js';

/** A connection at work; tables that it makes must be temporary. */
export interface Duck {
  readonly connection: DuckDBConnection;
  /** An empty folder, gone afterwards. */
  readonly folder: string;
  /** Runs statements in order. */
  run(...statements: string[]): Promise<void>;
  /** The rows of a query as plain objects. */
  rows<T>(sql: string): Promise<T[]>;
}

/**
 * Threads and memory of all work together; what does not fit is spilled, within bounds. Nothing is fetched: an extension
 * that is not built in is not there. Files are read by their paths, which are ours, so that external access stays.
 */
const limits = {
  threads: '2',
  memory_limit: '300MB',
  max_temp_directory_size: '8GB',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
};

/** Whether a failure says that the limits were not enough. */
export const outOfMemory = (message: string) => message.startsWith('Out of Memory Error');

/** A quoted SQL text. */
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** A quoted SQL name. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

let opened: Promise<DuckDBInstance> | undefined;

/** Connects, works, and leaves nothing behind. Throws TEMPORARY_DISK_FULL where there is no room for its files. */
export async function withDuckDB<T>(work: (duck: Duck) => Promise<T>): Promise<T> {
  try {
    return await withFolder(work);
  } catch (error) {
    throw isFull(error as NodeJS.ErrnoException) ? errors.TEMPORARY_DISK_FULL({}) : error;
  }
}

/** By Node's code of the disk itself or of a quota, or in DuckDB's words. */
export const isFull = ({ code, message = '' }: NodeJS.ErrnoException) =>
  code === 'ENOSPC' || code === 'EDQUOT' || /No space left on device|max_temp_directory_size/.test(message);

async function withFolder<T>(work: (duck: Duck) => Promise<T>): Promise<T> {
  opened ??= open();
  const instance = await opened;
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-features-'));
  try {
    const duck = duckOf(await instance.connect(), folder);
    try {
      return await work(duck);
    } finally {
      await dropAll(duck);
      duck.connection.closeSync();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function open(): Promise<DuckDBInstance> {
  try {
    const instance = await DuckDBInstance.create(':memory:', { ...limits, temp_directory: spillFolder() });
    const { run } = duckOf(await instance.connect(), '');
    await run('SET allocator_background_threads = true', `SET allocator_flush_threshold = '1MB'`);
    await run('SET lock_configuration = true');
    return instance;
  } catch (error) {
    opened = undefined;
    throw error;
  }
}

/** For our eyes only, in a place that nobody else can have prepared; gone with the process. */
function spillFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'driftloop-duckdb-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** I2 */
async function dropAll({ run, rows }: Duck): Promise<void> {
  const left = await rows<{ kind: string; name: string }>(
    `SELECT 'VIEW' AS kind, view_name AS name FROM duckdb_views() WHERE temporary AND NOT internal
     UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE temporary AND NOT internal`,
  );
  await run(...left.map(({ kind, name }) => `DROP ${kind} IF EXISTS ${quoted(name)}`));
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
