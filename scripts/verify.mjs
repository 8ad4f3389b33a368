// `npm run verify`: what is run before a commit. Stops at the first that fails, and says which. Tests are those of the
// workspaces that the change touches, and of those that depend on them; `--all` runs every one, `--no-tests` none.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { affectedTests } from './affected.mjs';
import { install, node, root } from './install.mjs';

install();
const bin = (name) => join(root, 'node_modules', '.bin', name);
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const given = process.argv.slice(2);
const rest = given.filter((arg) => !['--no-tests', '--all'].includes(arg));
const tests = () => {
  const touched = given.includes('--all') ? [] : affectedTests();
  return ['tests', node, ['scripts/test.mjs', ...touched, ...rest]];
};
const steps = [
  ['format and lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['contracts lint', bin('buf'), ['lint']],
  ['contracts break no release', node, ['scripts/breaking.mjs']],
  ['types', node, [tsc, '-b']],
  ['types of the tests', node, [tsc, '-p', 'tsconfig.specs.json']],
  ['generated code is up to date', node, ['scripts/generate.mjs', '--check']],
  ['names are as they are held', node, ['--disable-warning=ExperimentalWarning', 'scripts/names.mjs', '--check']],
  ['boundaries', node, ['scripts/boundaries.mjs']],
  ['patterns are linear', node, ['scripts/patterns.mjs']],
  ['no text indexes a plain object', node, ['scripts/lookups.mjs']],
  ...(given.includes('--no-tests') ? [] : [tests()]),
  ['two months come to the same ledger', node, ['scripts/recorded-run.mjs', 'two-months']],
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
