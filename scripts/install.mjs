// Installs when node_modules is missing, older than the lock file, or lacks what that names: half of an install is made whole. Runs
// under the system's Node (20 or later), before anything of node_modules is loaded. Install scripts are not run, but for the
// pinned Node runtime's own, which links its binary.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const node = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
/** What Node would warn of at every start: kafkajs sets timers to the past, which it takes for now. */
export const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];

/** Makes node_modules match the lock file; where that cannot be done, says so and ends the process. */
export function install(at = root) {
  const stamp = join(at, 'node_modules', '.driftloop-installed');
  const lock = join(at, 'package-lock.json');
  const isNew = existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs;
  const lacking = missing(at, lock);
  if (isNew && lacking.length === 0) return;
  const why = isNew ? `again: ${listed(lacking)} missing` : '(once)';
  console.error(`driftloop: installing dependencies ${why} …`);
  // What npm remembers of node_modules would hide from it what has gone.
  rmSync(join(at, 'node_modules', '.package-lock.json'), { force: true });
  const npm = (args) => execFileSync('npm', args, { cwd: at, stdio: ['ignore', 'ignore', 'inherit'], shell: false });
  try {
    npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
    npm(['rebuild', 'node', '--ignore-scripts=false', '--loglevel=error']);
  } catch {
    refuse('npm could not install them (its own words are above)');
  }
  const still = missing(at, lock);
  if (still.length) refuse(`npm has installed, but still ${listed(still)} missing`);
  writeFileSync(stamp, '');
}

const listed = (names) =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ' and others' : ''} ${names.length > 1 ? 'are' : 'is'}`;

function refuse(what) {
  console.error(
    `driftloop: ${what}, and nothing was run: look for the registry, the disk and this folder's owner, then try again`,
  );
  process.exit(1);
}

/** Packages that the lock file names and node_modules lacks, and the pinned Node; those for other machines may lack. */
export function missing(at = root, lock = join(at, 'package-lock.json')) {
  const { packages } = JSON.parse(readFileSync(lock, 'utf8'));
  const needed = Object.entries(packages).filter(
    ([path, { optional, devOptional, link }]) => path.includes('node_modules/') && !optional && !devOptional && !link,
  );
  const lacking = needed.map(([path]) => path).filter((path) => !existsSync(join(at, path, 'package.json')));
  const pinned = join('node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  return existsSync(join(at, pinned)) ? lacking : [...lacking, pinned];
}

/** Compiles what has changed. Ends the process, after the compiler's own words, where it does not compile. */
export function build() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    execFileSync(node, [tsc, '-b'], { cwd: root, stdio: 'inherit' });
  } catch {
    console.error('driftloop: it does not compile (the compiler says where, above), and nothing was run');
    process.exit(1);
  }
}
