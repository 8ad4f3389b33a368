#!/usr/bin/env node
/** driftloop: the command line against a running system. */
import { CallFailed, Control } from '@driftloop/client';
import { Command } from 'commander';
import { addActing } from './act.js';
import { addAsking } from './ask.js';
import { addLooking } from './look.js';

const program = new Command('driftloop')
  .description('models that renew themselves: declare, look, ask, act')
  .option('--url <url>', 'the gateway', process.env.DRIFTLOOP_URL ?? 'http://127.0.0.1:3000')
  .option('--serving <address>', 'the inference door', process.env.DRIFTLOOP_SERVING_ADDRESS ?? '127.0.0.1:8001')
  .showHelpAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const token = process.env.DRIFTLOOP_TOKEN;
const control = () => new Control(program.opts().url, token);
addLooking(program, control);
addActing(program, control);
addAsking(program, () => ({ ...program.opts<{ url: string; serving: string }>(), token }));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CallFailed)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exit(1);
}
