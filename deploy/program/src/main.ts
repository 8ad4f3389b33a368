#!/usr/bin/env node
/** `driftloop`: the commands that ask a running system, and those that work on what is stored while nothing runs. */
import { commandLine, run } from '@driftloop/cli';
import { addMigrating } from './migrate.js';

const program = commandLine();
addMigrating(program);
await run(program);
