/**
 * `npm run names`: holds what is stored, hashed or observed from outside against names.lock.json, and what packages export
 * against exports.lock.json. It says what is gone and what is new, and exits 1 where anything differs.
 * `--write` accepts what is there now. `--in FOLDER` looks for the locks there.
 *
 * Names are read from the running code where an object has them (the event map, mongoose's models, the metric catalogue,
 * commander, the protos' descriptors), else from the syntax trees of what packages' entries reach: so neither the place of a
 * file nor a private name matters. Which literals of the sources count: scripts/names/words.mjs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './install.mjs';
import * as code from './names/code.mjs';
import { allNames, publicExports, sourcesIn } from './names/collect.mjs';
import { advice, differences, told, written } from './names/compare.mjs';

const flag = { type: 'boolean' };
const { values: asked } = parseArgs({ options: { check: flag, write: flag, in: { type: 'string', default: root } } });

const tree = sourcesIn(root);
const locks = { 'names.lock.json': await allNames(tree, code), 'exports.lock.json': publicExports(tree) };
for (const [file, present] of Object.entries(locks)) {
  const path = join(asked.in, file);
  if (asked.write) writeFileSync(path, written(present));
  const lines = differences(JSON.parse(readFileSync(path, 'utf8')), present);
  if (lines.length) console.error(told(file, lines));
  if (lines.length) process.exitCode = 1;
}
const count = Object.values(locks).flatMap((lock) => Object.values(lock).flat()).length;
if (process.exitCode) console.error(advice);
else console.log(`names: ${count} are as they are held`);
