#!/usr/bin/env node
/** The commands of this workspace by themselves; `driftloop` is deploy/program, which has more. */
import { commandLine, run } from './command-line.js';

await run(commandLine());
