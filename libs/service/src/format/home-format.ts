/**
 * The format of a home: SQLite's own `user_version` in its file.
 *
 * I1  A number is read without a byte of the home being written: no log is folded into the file, no index of the log is
 *     written. So a home that is refused is as it was.
 * I2  Each step and its number are one transaction, on the connection that nobody else has yet, under the home's lock: a
 *     death leaves the old or the new. What a step does to other files of the home is in no transaction: it must bear being
 *     done again, and must not take from the old format what that needs.
 * I3  A file without tables is nobody's yet: it gets the latest number before its first table, so that a home without a
 *     number is always one of before numbers.
 */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { errors } from '../errors.js';
import { formatPoints } from './points.js';
import {
  type By,
  doing,
  type Found,
  type HomeStored,
  latestOf,
  type Migrated,
  pendingAfter,
  type Step,
} from './steps.js';

type Steps = readonly Step<HomeStored>[];

/** The name of a home's file. */
export const fileOf = (home: string): string => join(home, 'driftloop.sqlite');

/**
 * The format of a home, where it may be opened by these steps. `alone`: the lock is held; otherwise undefined where it
 * cannot be told without. Throws HOME_NEWER, HOME_NEEDS_MIGRATION or HOME_CORRUPT.
 */
export function checkHome(home: string, steps: Steps, by: By, alone: boolean): Found | undefined {
  const known = latestOf(steps);
  const found = formatOf(home, alone);
  if (found === undefined || found === 'nothing') return found;
  if (found > known) throw errors.HOME_NEWER({ home, found, known });
  const long = pendingAfter(found, steps).find(({ when }) => when === 'command');
  if (by === 'start' && long) throw errors.HOME_NEEDS_MIGRATION({ home, found, known, name: long.name });
  return found;
}

/** Does the steps that are left, and writes their numbers. Throws MIGRATION_FAILED; what was done before it stays. */
export async function migrateFile(stored: HomeStored, found: Found, steps: Steps): Promise<Migrated> {
  const latest = latestOf(steps);
  if (found === 'nothing') writeNumber(stored.db, latest); // I3
  const pending = pendingAfter(found, steps);
  for (const step of pending) {
    await doing(step, stored.home, () => inTransaction(stored.db, () => stepIn(stored, step)));
    formatPoints.afterNumber.publish(step.to);
  }
  return { found, format: latest, done: pending.map(({ to, name }) => ({ to, name })) };
}

/** I2 */
async function stepIn(stored: HomeStored, step: Step<HomeStored>): Promise<void> {
  await step.run(stored);
  formatPoints.beforeNumber.publish(step.to);
  writeNumber(stored.db, step.to);
}

async function inTransaction(db: DatabaseSync, work: () => Promise<void>): Promise<void> {
  db.exec('BEGIN IMMEDIATE');
  try {
    await work();
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function writeNumber(db: DatabaseSync, number: number): void {
  db.exec(`PRAGMA user_version = ${number}`);
}

function formatOf(home: string, alone: boolean): Found | undefined {
  try {
    return reading(fileOf(home), alone);
  } catch (error) {
    // Whoever has the lock may be writing: this is looked at again under it.
    if (!alone) return undefined;
    throw errors.HOME_CORRUPT({ home, reason: (error as Error).message });
  }
}

/** I1: SQLite reads a log beside its file only with the log's index, which it would make, or make anew. */
function reading(file: string, alone: boolean): Found | undefined {
  const logged = sizeOf(`${file}-wal`) > 0;
  if (!logged) return sizeOf(file) === 0 ? 'nothing' : numberIn(file, 'immutable=1');
  const index = `${file}-shm`;
  const missing = !existsSync(index);
  if (missing && !alone) return undefined;
  if (missing) writeFileSync(index, '', { mode: 0o600 });
  try {
    return numberIn(file, 'readonly_shm=1');
  } finally {
    if (missing) rmSync(index);
  }
}

function numberIn(file: string, how: string): Found {
  const url = pathToFileURL(file);
  url.search = `mode=ro&${how}`;
  const db = new DatabaseSync(url, { readOnly: true });
  try {
    const number = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    const tables = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get();
    return number === 0 && !tables ? 'nothing' : number;
  } finally {
    db.close();
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
