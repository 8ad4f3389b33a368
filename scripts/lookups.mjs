// `npm run lookups`: no text indexes a plain object in product code. `record[name]` and `name in record` find what every object
// inherits, and `record[name] = …` with "__proto__" changes what it inherits; `own(record, name)`, a Map or
// Object.fromEntries do neither (docs/decisions/0025). Arrays are indexed by numbers: what looks like a name is meant here.
// What is left stands in the list below with its reason; an entry that holds nothing any more is a fault too.
import { readdirSync, readFileSync } from 'node:fs';
import { join, matchesGlob, relative } from 'node:path';
import { parseSync } from '@swc/core';
import { root } from './install.mjs';

/** What names are called: an index that ends so is a text. */
const nameLike =
  /^(name|names|key|id|column|feature|source|label|field|attribute|input|model|version|alias|parameter|slice|category|path|entity|entityId|time|from|by|of|until|text|test|topic|subject|found|datatype|method|part|service|group|state|status|code|kind|role)$/;

/** By file: the access as it is written, and why it is safe. */
const allowed = {};

const exclude = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8')).exclude;
const leftOut = exclude.map((glob) => glob.replace(`\${configDir}/`, ''));
const faults = [];
const used = new Set();
let files = 0;
for (const folder of ['libs', 'services', 'deploy'])
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true }))
    if (entry.isDirectory() && entry.name !== 'testing')
      for (const file of sources(join(root, folder, entry.name))) look(file);
for (const [file, entries] of Object.entries(allowed))
  for (const written of Object.keys(entries))
    if (!used.has(`${file} ${written}`)) faults.push(`${file}: ${written} is allowed and not there; take it off the list`);
if (faults.length) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`lookups: ${files} files index no plain object by a text`);

function look(path) {
  files++;
  const bytes = readFileSync(path);
  const file = relative(root, path);
  const module = parseSync(bytes.toString(), { syntax: 'typescript', decorators: true, target: 'esnext' });
  // Positions go on from file to file, and count bytes; a module's own begins behind its first comments.
  const base = module.span.end - bytes.length;
  walk(module);

  function walk(node) {
    if (Array.isArray(node)) {
      for (const one of node) walk(one);
      return;
    }
    if (!node || typeof node !== 'object') return;
    if (node.type === 'MemberExpression' && node.property.type === 'Computed' && isName(node.property.expression)) told(node);
    if (node.type === 'BinaryExpression' && node.operator === 'in' && node.left.type !== 'StringLiteral') told(node);
    for (const [key, child] of Object.entries(node)) if (key !== 'span') walk(child);
  }

  function told({ span }) {
    const written = bytes.subarray(span.start - base, span.end - base).toString().replace(/\s+/g, ' ');
    if (allowed[file]?.[written]) used.add(`${file} ${written}`);
    else {
      const line = bytes.subarray(0, span.start - base).toString().split('\n').length;
      faults.push(`${file}:${line}: ${written}: use own(record, name), a Map, or Object.fromEntries`);
    }
  }
}

function isName(expression) {
  if (expression.type === 'Identifier') return nameLike.test(expression.value);
  if (expression.type === 'MemberExpression') return expression.property.type === 'Identifier' && nameLike.test(expression.property.value);
  return expression.type === 'TemplateLiteral' || (expression.type === 'TsNonNullExpression' && isName(expression.expression));
}

function sources(workspace, folder = workspace) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['node_modules', 'dist', 'gen'].includes(entry.name) ? [] : sources(workspace, path);
    const isProduct = entry.name.endsWith('.ts') && !leftOut.some((glob) => matchesGlob(relative(workspace, path), glob));
    return isProduct ? [path] : [];
  });
}
