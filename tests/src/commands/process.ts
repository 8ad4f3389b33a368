/** For specs: `npm start`'s own process, on any free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { anyPorts } from '@driftloop/embedded';
import { bare } from '@driftloop/testing/environment';
import { type Ran, runToEnd } from '@driftloop/testing/running';

const main = fileURLToPath(import.meta.resolve('@driftloop/embedded/main'));
/** The small world, as `--world` takes it. */
export const parcelsModule = fileURLToPath(new URL('../worlds/parcels.ts', import.meta.url));

export interface Started {
  child: ChildProcess;
  /** What it has written so far. */
  output(): { stdout: string; stderr: string };
  /** Its exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals>;
}

/** Starts a process on a home. */
export function start(
  home: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = anyPorts,
): Started {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], {
    env: { ...bare, DRIFTLOOP_HOME: home, ...environment },
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    text.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text.stderr += chunk;
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal!));
  });
  return { child, output: () => ({ ...text }), ended };
}

/** A port that is taken until it is closed. */
export async function takenPort(): Promise<{ port: number; close(): void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { port, close: () => void server.close() };
}

/** Waits until something holds. Throws what it waits for when it takes too long. */
export async function until(what: string, holds: () => boolean, ms = 60_000): Promise<void> {
  const end = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The process ids of the children of a process, where the system shows them (Linux). */
export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
}

/** Whether a process is there and not just a name that nobody has waited for. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const cli = fileURLToPath(import.meta.resolve('@driftloop/program/main'));

/** Runs the command line to its end. */
export const driftloop = (args: readonly string[], environment: Record<string, string>, input = ''): Promise<Ran> =>
  runToEnd(cli, args, environment, { input });
