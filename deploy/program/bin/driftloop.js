#!/usr/bin/env node
// npm links this file at install time, before anything is compiled; it only hands over to the compiled command line.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  console.error('driftloop is not built yet: run `npm start` (or `npm run build`) first');
  process.exitCode = 1;
}
