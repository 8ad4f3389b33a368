// Installs when node_modules is missing or older than the lock file. Runs under the system's Node (20 or later).
// Install scripts are not run, but for the pinned Node runtime's own, which links its binary.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
/** What Node would warn of at every start: kafkajs sets timers to the past, which it takes for now. */
export const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
const stamp = join(root, 'node_modules', '.driftloop-installed');

/** Makes node_modules match the lock file. */
export function install() {
  const lock = join(root, 'package-lock.json');
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('driftloop: installing dependencies (once) …');
  const npm = (args) => execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], shell: false });
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  npm(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']);
  writeFileSync(stamp, '');
}

/** Compiles what has changed. */
export function build() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(node, [tsc, '-b'], { cwd: root, stdio: 'inherit' });
}
