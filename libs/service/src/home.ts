/**
 * A home folder's file, opened by one process: under the lock, in the format of this release.
 *
 * I1  What the home is in is looked at before anything of it is opened for writing, its lock too where that can be.
 */
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LoopError } from '@driftloop/contracts';
import { errors } from './errors.js';
import { checkHome, fileOf, migrateFile } from './format/home-format.js';
import { type By, type Found, homeSteps, type Migrated } from './format/steps.js';
import { type Lock, takeLock } from './lock.js';
import { keepPrivate, makePrivateFile } from './private-home.js';

export interface OpenedHome {
  readonly folder: string;
  readonly db: DatabaseSync;
  readonly migrated: Migrated;
  /** What others could read until now, and what they still can. */
  readonly exposed: { readonly closed: readonly string[]; readonly open: readonly string[] };
  /** Closes the file and releases the lock. */
  close(): void;
}

/**
 * Opens a home, making it where there is none, and does the steps that are left. Throws HOME_LOCKED, HOME_NOT_WRITABLE,
 * HOME_CORRUPT, HOME_NEWER, MIGRATION_FAILED or, at a start, HOME_NEEDS_MIGRATION.
 */
export async function openHome(home: string, by: By = 'start', steps = homeSteps): Promise<OpenedHome> {
  const folder = resolve(home);
  checkHome(folder, steps, by, false); // I1
  makeWritable(folder);
  const exposed = keepPrivate(folder);
  const lock = lockOf(folder);
  try {
    const found = checkHome(folder, steps, by, true) as Found;
    const db = openDatabase(folder);
    const migrated = await migrateFile({ db, home: folder }, found, steps).catch((error) => {
      db.close();
      throw error;
    });
    const close = () => {
      db.close();
      lock.release();
    };
    return { folder, db, migrated, exposed, close };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** `driftloop migrate`: all steps that are left, in a home that nobody runs in. Throws as openHome does, and HOME_MISSING. */
export async function migrateHome(home: string, steps = homeSteps): Promise<Migrated> {
  const folder = resolve(home);
  if (!existsSync(fileOf(folder))) throw errors.HOME_MISSING({ home: folder });
  const opened = await openHome(folder, 'command', steps);
  opened.close();
  return opened.migrated;
}

function makeWritable(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    accessSync(home, constants.W_OK);
  } catch (error) {
    throw errors.HOME_NOT_WRITABLE({ home, reason: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}

function lockOf(home: string): Lock {
  try {
    return takeLock(home);
  } catch (error) {
    if (error instanceof LoopError) throw error;
    throw errors.HOME_NOT_WRITABLE({ home, reason: (error as Error).message });
  }
}

function openDatabase(home: string): DatabaseSync {
  try {
    makePrivateFile(fileOf(home));
    const db = new DatabaseSync(fileOf(home));
    db.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;`);
    return db;
  } catch (error) {
    throw errors.HOME_CORRUPT({ home, reason: (error as Error).message });
  }
}
