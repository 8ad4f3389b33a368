/** `driftloop`: the commands that ask a running system, and those that work on what is stored while nothing runs. */
import { programOf } from '@driftloop/cli';
import type { Command } from 'commander';
import { addMigrating } from './migrate.js';

/** Every command, with defaults from an environment. */
export function driftloop(environment: NodeJS.ProcessEnv): Command {
  const program = programOf(environment);
  addMigrating(program);
  return program;
}
