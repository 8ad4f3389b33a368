/**
 * Where the files of the other streams are. They do not ship with the project (their licences are not clear): they are
 * looked for in the folder DRIFTLOOP_DATA, or else in ../shared/data beside the repository.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const beside = fileURLToPath(new URL('../../../../../shared/data/', import.meta.url));

/** The path of a data file, or undefined where it is absent. */
export function findData(name: string, folder = process.env.DRIFTLOOP_DATA): string | undefined {
  const path = resolve(folder || beside, name);
  return existsSync(path) ? path : undefined;
}

/** The path of a data file. Throws an Error that says where it was looked for and what to do. */
export function needData(name: string): string {
  const path = findData(name);
  if (path) return path;
  throw new Error(
    `${name} is not there: this stream's data does not ship with the project. Put the file into a folder and name that in DRIFTLOOP_DATA (looked in ${process.env.DRIFTLOOP_DATA || '../shared/data beside the repository'})`,
  );
}
