/** `npm start`: opens the house, walks the year, and stays up serving the last champion. */
import { readFileSync } from 'node:fs';
import { trust } from '@driftloop/client';
import { LoopError } from '@driftloop/contracts';
import { attach } from './attached.js';
import type { Doors } from './doors.js';
import { openHouse } from './house.js';
import { type Options, readOptions, usage } from './options.js';
import { openProcesses } from './processes.js';
import { Terminal } from './terminal.js';
import { walk } from './walk.js';

async function main(options: Options): Promise<void> {
  if (options.help) return console.log(usage);
  if (options.version) return console.log(versionOf());
  const terminal = new Terminal();
  const house = await openOne(options);
  let stopping: Promise<void> | undefined;
  // Cut short is no success: the walk's own end is.
  let walking = true;
  const stop = (code: number) => {
    stopping ??= house.close().then(() => process.exit(code));
    return stopping;
  };
  const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  for (const [signal, code] of Object.entries(signals)) process.on(signal, () => void stop(walking ? code : 0));
  // Whoever started this has ended: nobody would stop it.
  process.on('disconnect', () => void stop(walking ? 1 : 0));
  terminal.line(`driftloop is up: inference on ${house.address('serving')} (gRPC), the rest at ${house.url}`);
  try {
    await walk(house, terminal, options);
  } catch (error) {
    if (stopping) return;
    console.error((error as Error).message);
    return stop(1);
  }
  walking = false;
  if (options.once || options.attach) return stop(0);
  terminal.line('the replay is over; still serving the last champion. Ctrl-C ends.');
}

/** The release. */
function versionOf(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

/** The house: one process on a home folder, many on real servers, or one that runs already. */
function openOne({ processes, attach: running }: Options): Promise<Doors & { close(): Promise<void> }> {
  const { DRIFTLOOP_HOME, DRIFTLOOP_TLS_CA_FILE } = process.env;
  const home = DRIFTLOOP_HOME || '.driftloop';
  if (DRIFTLOOP_TLS_CA_FILE) trust(DRIFTLOOP_TLS_CA_FILE);
  if (running) return attach(home);
  if (!processes) return openHouse(home);
  const onExit = ({ part }: { part: string }, how: string) => {
    console.error(`${part} ended with ${how}: see ${home}/logs`);
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  };
  return openProcesses(home, { environment: process.env, onExit });
}

/** The options, or the end with exit code 2. */
function optionsOrEnd(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

process.umask(0o077); // a home, its logs and a replay's memory are their owner's alone
main(optionsOrEnd()).catch((error: Error) => {
  console.error(error instanceof LoopError ? `${error.code}: ${error.message}` : (error.stack ?? error));
  process.exit(1);
});
