// `npm test [-- JEST ARGUMENTS]`: installs if needed and runs every test from the sources, threads and processes included: nothing
// is built. Those that need a server which the environment does not name are skipped by name, with the reason
// (`npm run integration` starts one).
import { install } from './install.mjs';
import { jest } from './jest/run.mjs';

install();
process.exit(jest(process.argv.slice(2)).status ?? 1);
