// `npm run verify`: what is run before a commit. Stops at the first that fails, and says which.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, node, root } from './install.mjs';

install();
const rest = process.argv.slice(2).filter((arg) => arg !== '--no-tests');
const bin = (name) => join(root, 'node_modules', '.bin', name);
const steps = [
  ['format and lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['contracts lint', bin('buf'), ['lint']],
  ['contracts break no release', node, ['scripts/breaking.mjs']],
  ['types', node, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b']],
  ['generated code is up to date', node, ['scripts/generate.mjs', '--check']],
  ['names are as they are held', node, ['--disable-warning=ExperimentalWarning', 'scripts/names.mjs', '--check']],
  ['boundaries', node, ['scripts/boundaries.mjs']],
  ...(process.argv.includes('--no-tests') ? [] : [['tests', node, ['scripts/test.mjs', ...rest]]]),
];
for (const [name, command, args] of steps) {
  console.log(`verify: ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`verify: ${name} failed`);
    process.exit(status ?? 1);
  }
}
console.log('verify: all green');
