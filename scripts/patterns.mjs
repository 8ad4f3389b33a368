// `npm run patterns`: every regular expression of product code is linear in the text that it reads. Which text is an
// outsider's is not asked: what is read today from a file of ours is read tomorrow from a door. What cannot be shown, or sees a
// bounded text alone, stands in the list below with its reason; an entry that holds nothing any more is a fault too.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, matchesGlob, relative } from 'node:path';
import { parseSync } from '@swc/core';
import { root } from './install.mjs';

process.env.RECHECK_BACKEND = 'pure';
const require = createRequire(import.meta.url);
const { checkSync } = require('recheck');
const { version } = require('recheck/package.json');

/** By file, then by pattern, or by the source of what a pattern is made of. */
const allowed = {
  'libs/documents/src/embedded/codec.ts': { 'RegExp…': 'copies a pattern that a filter of ours holds' },
  'libs/documents/src/embedded/matching.ts': {
    'RegExp…': 'a pattern that a filter of ours holds; no service makes one of what a caller sent',
    'stateless…': 'the same pattern without its state',
  },
  'libs/service/src/telemetry/redaction.ts': {
    'inJson…': 'made of the names of secrets: each attempt begins at the end of a name, and stops at the next quote',
    'inText…': 'made of the names of secrets: as inJson',
    'inPair…': 'made of the names of secrets: as inJson, and stops at white space',
  },
};

const exclude = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')).exclude;
const leftOut = exclude.map((glob) => glob.replace(`\${configDir}/`, ''));
const cachePath = join(root, 'node_modules', '.cache', 'patterns.json');
const cache = cached();
const faults = [];
const used = new Set();
let count = 0;
for (const file of ['libs', 'services', 'deploy'].flatMap((folder) =>
  workspacesOf(folder).flatMap((workspace) => sources(workspace)),
))
  for (const pattern of patternsOf(file)) look(relative(root, file), pattern);
for (const [file, entries] of Object.entries(allowed))
  for (const source of Object.keys(entries))
    if (!used.has(`${file} ${source}`))
      faults.push(`${file}: ${source} is allowed and not there; take it off the list`);
mkdirSync(join(root, 'node_modules', '.cache'), { recursive: true });
writeFileSync(cachePath, JSON.stringify(cache));
if (faults.length) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`patterns: ${count} regular expressions are linear`);

function look(file, { source, flags, shown }) {
  count++;
  const reason = allowed[file]?.[shown];
  if (reason) used.add(`${file} ${shown}`);
  else if (source === undefined)
    faults.push(`${file}: ${shown} is no literal: write one, or say in scripts/patterns.mjs why it is linear`);
  else {
    const { status, complexity } = resultOf(source, flags);
    if (status !== 'safe')
      faults.push(
        `${file}: /${source}/${flags} is ${status}${complexity ? `, ${complexity}` : ''}: bound its repetitions`,
      );
  }
}

function resultOf(source, flags) {
  const key = createHash('sha256')
    .update(JSON.stringify([version, source, flags]))
    .digest('hex');
  cache[key] ??= checked(source, flags);
  return cache[key];
}

function checked(source, flags) {
  const { status, complexity } = checkSync(source, flags.replace('v', 'u'), { timeout: 60_000, checker: 'automaton' });
  return { status, complexity: complexity?.summary };
}

function cached() {
  try {
    return JSON.parse(readFileSync(cachePath, 'utf8'));
  } catch {
    return {};
  }
}

/** Literals, and what `RegExp` is called with. */
function patternsOf(file) {
  const found = [];
  const text = readFileSync(file, 'utf8');
  if (!/RegExp|\/[^\n]*\//.test(text)) return found;
  walk(parseSync(text, { syntax: 'typescript', decorators: true, target: 'esnext' }), undefined);
  return found;

  function walk(node, name) {
    if (Array.isArray(node)) for (const one of node) walk(one, name);
    if (!node || typeof node !== 'object' || Array.isArray(node)) return;
    if (node.type === 'RegExpLiteral') found.push({ source: node.pattern, flags: node.flags, shown: node.pattern });
    if (['NewExpression', 'CallExpression'].includes(node.type) && node.callee?.value === 'RegExp')
      found.push(made(node, name));
    const own = node.type === 'VariableDeclarator' ? node.id?.value : name;
    for (const [key, child] of Object.entries(node)) if (key !== 'span') walk(child, own);
  }
}

function made({ arguments: [pattern, flags] }, name = 'RegExp') {
  const { type, value } = pattern.expression;
  if (type === 'StringLiteral') return { source: value, flags: flags?.expression.value ?? '', shown: value };
  return { source: undefined, flags: '', shown: `${name}…` };
}

function workspacesOf(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(root, folder, name));
}

function sources(workspace, folder = workspace) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['node_modules', 'dist', 'gen'].includes(entry.name) ? [] : sources(workspace, path);
    const isProduct =
      /\.(ts|mjs)$/.test(entry.name) && !leftOut.some((glob) => matchesGlob(relative(workspace, path), glob));
    return isProduct && !workspace.endsWith('libs/testing') ? [path] : [];
  });
}
