/**
 * Holds proto/ against the last release's contracts, by buf's FILE and WIRE_JSON rules: what a consumer of that release
 * compiled or reads must still be so. A release is an image in proto/releases, so that a clone without history has it too.
 *
 *   node scripts/breaking.mjs                    exits 1 and names each breach
 *   node scripts/breaking.mjs --release 0.2.0    adds the image of a release (with the recorded events: record-events.mjs)
 *   node scripts/breaking.mjs --in FOLDER        holds the proto/ of another folder against it, by the rules of its buf.yaml
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';

const { values } = parseArgs({
  options: { release: { type: 'string' }, in: { type: 'string', default: root } },
});
const releases = join(root, 'proto', 'releases');

if (values.release) buf('build', join(root, 'proto'), '--exclude-source-info', '-o', imageOf(values.release));
else {
  const last = lastRelease();
  buf('breaking', values.in, '--against', imageOf(last));
  console.log(`contracts: nothing of release ${last} is broken`);
}

function lastRelease() {
  const byNumbers = (a, b) => a.localeCompare(b, 'en', { numeric: true });
  const found = readdirSync(releases).map((file) => file.replace(/\.binpb$/, ''));
  if (found.length) return found.sort(byNumbers).at(-1);
  console.error('proto/releases has no release: nothing to hold the contracts against');
  process.exit(1);
}

function imageOf(release) {
  return join(releases, `${release}.binpb`);
}

function buf(...args) {
  const { status, error } = spawnSync(join(root, 'node_modules', '.bin', 'buf'), args, { cwd: root, stdio: 'inherit' });
  if (error) console.error(error.message);
  if (status !== 0) process.exit(1);
}
