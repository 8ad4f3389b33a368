#!/usr/bin/env node
/** The command that this process was started with. */
import { run } from '@driftloop/cli';
import { driftloop } from './index.js';

await run(driftloop(process.env));
