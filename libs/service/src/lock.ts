/**
 * One process a home folder.
 *
 * I1  The lock is the operating system's, on a SQLite file held in an exclusive transaction: it ends with its process,
 *     however that ends, so there is no stale lock. The file `pid` beside it only says who has it.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errors } from './errors.js';
import { makePrivateFile } from './private-home.js';

export interface Lock {
  release(): void;
}

/** SQLITE_BUSY */
const busy = 5;

/** Takes the lock of a folder. Throws HOME_LOCKED when a running process has it, this one included. */
export function takeLock(home: string): Lock {
  const pidFile = join(home, 'pid');
  makePrivateFile(join(home, 'lock'));
  const lock = new DatabaseSync(join(home, 'lock'));
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    const held = (error as { errcode?: number }).errcode === busy;
    throw held ? errors.HOME_LOCKED({ home, pid: pidIn(pidFile) }) : error;
  }
  writeFileSync(pidFile, String(process.pid), { mode: 0o600 });
  const release = () => {
    if (!lock.isOpen) return;
    rmSync(pidFile, { force: true });
    lock.close();
  };
  return { release };
}

/** 0 where it is not known (yet). */
function pidIn(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || 0;
  } catch {
    return 0;
  }
}
