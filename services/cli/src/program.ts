/** The commands and what they take, by the environment; main.ts runs them. */
import { CallFailed } from '@driftloop/client';
import { Command } from 'commander';
import { addActing } from './act.js';
import { addAsking } from './ask.js';
import { addCallers } from './callers.js';
import { Doors, tokenOf } from './doors.js';
import { addDrift } from './drift.js';
import { failureLines } from './failure-lines.js';
import { addHearing } from './hear.js';
import { addIngesting } from './ingest.js';
import { addLedger } from './ledger.js';
import { addLooking } from './look.js';
import { addOperating } from './operate.js';
import { addQuarantine } from './quarantine.js';
import { addSimulating } from './simulate.js';
import { addTelling } from './tell.js';
import { addWatermarks } from './watermarks.js';

/** What the environment says besides: every variable that a command reads. */
const variables = `
Environment:
  DRIFTLOOP_URL                       as --url
  DRIFTLOOP_SERVING_ADDRESS           as --serving
  DRIFTLOOP_TLS_CA_FILE               as --ca
  DRIFTLOOP_TOKEN                     the token that calls are made with
  DRIFTLOOP_TOKEN_FILE                a file that holds it, where DRIFTLOOP_TOKEN is not set
  DRIFTLOOP_HOME, DRIFTLOOP_MODE      what migrate works on: a home, or the databases that the environment of a
                                      cluster names (MONGODB_URI, DRIFTLOOP_NAMESPACE)`;

export function programOf(environment: NodeJS.ProcessEnv): Command {
  const program = new Command('driftloop')
    .description('models that renew themselves: declare, look, ask, act')
    .option('--url <url>', 'the gateway (or DRIFTLOOP_URL)', environment.DRIFTLOOP_URL || 'http://127.0.0.1:3000')
    .option(
      '--serving <address>',
      'the inference door (or DRIFTLOOP_SERVING_ADDRESS)',
      environment.DRIFTLOOP_SERVING_ADDRESS || '127.0.0.1:8001',
    )
    .option(
      '--feature-store <address>',
      'where files of rows go (or DRIFTLOOP_FEATURE_STORE_ADDRESS)',
      environment.DRIFTLOOP_FEATURE_STORE_ADDRESS || '127.0.0.1:7002',
    )
    .option(
      '--ca <file>',
      'believe what these certificates have signed, PEM (or DRIFTLOOP_TLS_CA_FILE)',
      environment.DRIFTLOOP_TLS_CA_FILE || undefined,
    )
    .addHelpText('after', variables)
    .showHelpAfterError('(driftloop --help, or driftloop COMMAND --help, says how)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  const doors = () => new Doors(program.opts(), tokenOf(environment));
  addLooking(program, doors);
  addDrift(program, doors);
  addLedger(program, doors);
  addTelling(program, doors);
  addActing(program, doors);
  addOperating(program, doors);
  addQuarantine(program, doors);
  addWatermarks(program, doors);
  addAsking(program, doors);
  addHearing(program, doors);
  addIngesting(program, doors);
  addSimulating(program, doors);
  addCallers(program, doors);
  return program;
}

/** Runs the command that this process was started with; says what it was refused. */
export async function run(program: Command): Promise<void> {
  // Whoever reads has seen enough (| head): that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    console.error(failureLines(error));
    process.exitCode = error.code === 'USAGE' ? 2 : 1;
  }
}
