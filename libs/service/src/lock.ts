/**
 * One process a home folder: a lock file with the owner's process id.
 *
 * I1  The file is made whole beside its place and linked into it, so that nobody reads half of it and two cannot win.
 * I2  A lock whose process is gone is removed under its own content: only who renames that file away takes it over.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errors } from './errors.js';

export interface Lock {
  release(): void;
}

/** Takes the lock of a folder. Throws HOME_LOCKED when a running process has it. */
export function takeLock(home: string): Lock {
  const path = join(home, 'lock');
  const mine = join(home, `lock.${process.pid}.${Math.trunc(performance.now() * 1000)}`);
  const content = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  writeFileSync(mine, content);
  try {
    for (let tries = 0; !linked(mine, path); tries++) {
      const owner = ownerOf(path);
      if (tries >= 10 || (owner && alive(owner))) throw errors.HOME_LOCKED({ home, pid: owner?.pid ?? 0 });
      setAside(path, `${mine}.stale`);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  const release = () => {
    if (contentOf(path) === content) rmSync(path, { force: true });
  };
  return { release };
}

interface Owner {
  readonly pid: number;
  /** When the process began, as the system tells it: a process id can be used again. */
  readonly started?: string;
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function ownerOf(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(contentOf(path) ?? '') as Owner;
    return Number.isInteger(owner.pid) && owner.pid > 0 ? owner : undefined;
  } catch {
    return undefined;
  }
}

function alive({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const found = startOf(pid);
  return found === undefined || started === undefined || found === started;
}

/** Linux: the process's start in clock ticks since boot; undefined elsewhere. */
function startOf(pid: number): string | undefined {
  const stat = contentOf(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** Removes a stale lock; where somebody else just did, that is as good. */
function setAside(path: string, aside: string): void {
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
