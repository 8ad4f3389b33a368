#!/usr/bin/env node
/** driftloop: the command line against a running system. Exit codes: 0 done, 1 refused or unreachable, 2 called wrongly. */
import { CallFailed } from '@driftloop/client';
import { programOf } from './program.js';

// Whoever reads has seen enough (| head): that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await programOf(process.env).parseAsync();
} catch (error) {
  if (!(error instanceof CallFailed)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = error.code === 'USAGE' ? 2 : 1;
}
