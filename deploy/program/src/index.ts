/** `driftloop`: the commands that ask a running system, and those that work on what is stored while nothing runs. */
import { readFileSync } from 'node:fs';
import { programOf } from '@driftloop/cli';
import type { Command } from 'commander';
import { addMigrating } from './migrate.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Every command, with defaults from an environment. */
export function driftloop(environment: NodeJS.ProcessEnv): Command {
  const program = programOf(environment).version(version);
  addMigrating(program);
  return program;
}
