/**
 * Files that are read again when they change, while the service runs.
 *
 * I1  A path is looked at, not the file that it named at first: orchestrators put another one in its place.
 * I2  What stood there when following began is what later looks are compared with: who reads after that misses no change.
 */
import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** How often a path is looked at, wall ms. */
const intervalMs = 500;

const signature = ({ ino, size, mtimeMs, ctimeMs, mode }: Stats): string => [ino, size, mtimeMs, ctimeMs, mode].join();

/** Where nothing can be looked at, nothing stands. */
function now(path: string): string {
  try {
    return signature(statSync(path));
  } catch {
    return '';
  }
}

/** Calls `changed` whenever something else stands at one of the paths, until the function that it returns is called. Holds no process up. */
export function followFiles(paths: readonly string[], changed: () => void): () => void {
  let seen = paths.map(now).join();
  const look = async () => {
    const found = await Promise.all(paths.map((path) => stat(path).then(signature, () => '')));
    if (found.join() === seen) return;
    seen = found.join();
    changed();
  };
  const timer = setInterval(look, intervalMs).unref();
  return () => clearInterval(timer);
}
