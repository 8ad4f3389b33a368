/**
 * A service as a process of its own, in cluster mode: opened, run, and ended by a signal.
 *
 * I1  SIGTERM ends it gracefully: no more calls, no more events, what runs ends, what is committed is committed. A second
 *     signal ends it at once.
 * I2  A server that is away at the start is waited for by whoever restarts the process: it ends with exit code 1 and says
 *     which. A leader that loses the lead ends at once, so that nothing of it is left to act.
 */
import { LoopError } from '@driftloop/contracts';
import type { ServiceDefinition } from './definition.js';
import { errors } from './errors.js';
import { readSettings, type Settings } from './settings.js';
import { startService } from './start.js';

const signals = { SIGINT: 130, SIGTERM: 0, SIGHUP: 129 } as const;

/**
 * Runs a service until a signal ends the process; prints why and ends with 1 where it cannot start: its settings are not
 * valid, or name the embedded mode, which runs all services in one process.
 */
export async function start(definition: ServiceDefinition): Promise<void> {
  process.umask(0o077); // what it caches and spills is its owner's alone
  try {
    const settings = readSettings();
    if (settings.mode !== 'cluster') throw errors.ONE_PROCESS({ service: definition.name });
    return await run(definition, settings);
  } catch (error) {
    if ((error as LoopError).code === 'STOPPED') process.exit(0);
    const said = error instanceof LoopError ? `${error.code}: ${error.message}` : ((error as Error).stack ?? error);
    console.error(`${definition.name}: ${said}`);
    process.exit(1);
  }
}

async function run(definition: ServiceDefinition, settings: Settings): Promise<void> {
  // kafkajs and minio load only where they are used: the embedded house starts without them.
  const { openClusterGround } = await import('./cluster.js');
  const stopping = new AbortController();
  let close: () => Promise<void> = async () => undefined;
  for (const [signal, code] of Object.entries(signals)) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(code || 1);
      stopping.abort();
      void close().then(
        () => process.exit(code),
        () => process.exit(1),
      );
    });
  }
  // Whoever started this has ended: nobody would stop it.
  if (process.send) process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  const onLost = (reason: string) => {
    console.error(`${definition.name}: the lead is lost: ${reason}`);
    process.exit(1);
  };
  const ground = await openClusterGround(definition.name, settings);
  const running = await startService(definition, ground, { signal: stopping.signal, onLost });
  close = running.close;
  if (stopping.signal.aborted) await close();
}
