// What a change touches: the workspaces with a changed file, and those that depend on them, as nx knows them.
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './install.mjs';

/** Paths of tests, for jest, of what is not committed or not on main; those of scripts always. Throws what nx writes where it fails. */
export function affectedTests() {
  const folders = affectedWorkspaces().map((name) => relative(root, realpathSync(join(root, 'node_modules', name))));
  console.log(`affected: ${folders.sort().join(', ') || 'no workspace'}`);
  return [...folders, 'scripts'].map((folder) => `${join(root, folder)}/`);
}

function affectedWorkspaces() {
  const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const args = [nx, 'show', 'projects', '--affected', '--json'];
  const env = { ...process.env, NX_DAEMON: 'false' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`nx show projects --affected: ${stderr || stdout}`);
  return JSON.parse(stdout);
}
