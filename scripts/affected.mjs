// What a change touches: the workspaces with a changed file, and those that depend on them, as nx knows them. What lies in no
// workspace (proto, deploy's rules and dashboards, docs, scripts), and the examples, is read by specs anywhere.
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';
import { root } from './install.mjs';

const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** Pages that no spec reads. */
const pages = /^[A-Z]+\.md$|^\.git/;

/**
 * Paths of tests, for jest, of what is not committed or not on main; none, which jest takes for all of them, where a changed
 * file is read by specs anywhere. Throws what git or nx write where they fail.
 */
export function affectedTests() {
  const anywhere = changed().find((file) => isReadAnywhere(file));
  const folders = anywhere ? [] : affectedFolders();
  console.log(`affected: ${anywhere ? `all, by ${anywhere}` : folders.join(', ') || 'no workspace'}`);
  return anywhere ? [] : [...folders, 'scripts'].map((folder) => `${join(root, folder)}/`);
}

function isReadAnywhere(file) {
  if (pages.test(file)) return false;
  return file.startsWith('examples/') || !workspaces.some((glob) => matchesGlob(file, `${glob}/**`));
}

function changed() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);
  const [base] = git('merge-base', 'main', 'HEAD');
  return [...git('diff', '--name-only', base), ...git('ls-files', '--others', '--exclude-standard')];
}

function affectedFolders() {
  const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const args = [nx, 'show', 'projects', '--affected', '--json'];
  const env = { ...process.env, NX_DAEMON: 'false' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`nx show projects --affected: ${stderr || stdout}`);
  return JSON.parse(stdout)
    .map((name) => relative(root, realpathSync(join(root, 'node_modules', name))))
    .sort();
}
