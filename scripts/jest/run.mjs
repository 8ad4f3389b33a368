// Runs jest on the pinned Node, with what threads and child processes of specs need to run sources as they are.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { node, quiet, root } from '../install.mjs';

const program = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
const fromSource = `--import=${pathToFileURL(join(root, 'scripts', 'source.mjs')).href}`;

/** The command line of a run. */
export const jestCommand = (args) => [node, [program, ...args]];
/** Its environment. What one process has compiled is not compiled again by the next. */
export const jestEnvironment = (environment = process.env) => ({
  ...environment,
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'driftloop', 'compiled'),
  NODE_OPTIONS: [environment.NODE_OPTIONS, ...quiet, fromSource].filter(Boolean).join(' '),
});

/** Runs jest to its end, on this terminal. */
export function jest(args) {
  return spawnSync(...jestCommand(args), { cwd: root, stdio: 'inherit', env: jestEnvironment() });
}
