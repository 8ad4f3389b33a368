/**
 * A home is its owner's alone: folders 0700, files 0600.
 *
 * I1  What is made is made so; SQLite gives the files beside its own the mode of that one.
 * I2  A home that earlier code, or a person, left open to others is closed at its next start, and it is said that it was.
 * I3  Only what is ours is touched: of a folder that many use (a sticky one, such as /tmp) the entries, never itself.
 */
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileOf } from './format/home-format.js';

const others = 0o077;
const sticky = 0o1000;

/** Makes an empty file for SQLite to open, where there is none (I1). */
export function makePrivateFile(path: string): void {
  writeFileSync(path, '', { flag: 'a', mode: 0o600 });
}

/** Closes a home to others; says what was open, and what could not be closed (I2). */
export function keepPrivate(home: string): { closed: string[]; open: string[] } {
  const database = fileOf(home);
  const files = [database, `${database}-wal`, `${database}-shm`, join(home, 'lock'), join(home, 'pid')];
  const folders = [home, join(home, 'objects'), join(home, 'logs')];
  const found = [...folders, ...files].filter((path) => existsSync(path) && isOpen(path));
  const closed = found.filter((path) => close(path, folders.includes(path) ? 0o700 : 0o600));
  return { closed, open: found.filter((path) => !closed.includes(path)) };
}

/** I3 */
function isOpen(path: string): boolean {
  const { mode } = statSync(path);
  return (mode & others) !== 0 && (mode & sticky) === 0;
}

/** False where it is another user's, or where modes mean nothing. */
function close(path: string, mode: number): boolean {
  try {
    chmodSync(path, mode);
    return !isOpen(path);
  } catch {
    return false;
  }
}
