#!/usr/bin/env node
/** The command that this process was started with. */
import '@driftloop/service/node-version';

const { run } = await import('@driftloop/cli');
const { driftloop } = await import('./index.js');
await run(driftloop(process.env));
