/** A program that a spec runs to its end, in a process of its own. */
import { execFile } from 'node:child_process';
import { bare } from './environment.js';

export interface Ran {
  /** −1 where it was ended by a signal, or by running too long. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a module with the arguments, on this Node, in that environment beside the bare one. */
export function runToEnd(
  main: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  { input = '', timeoutMs = 30_000 } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { ...bare, ...environment }, timeout: timeoutMs };
    const child = execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
