// `node --import ./scripts/source.mjs FILE.ts`: runs TypeScript as it stands, without a build. Packages of this repository
// are their sources, `./x.js` is the `x.ts` that it stands for, and swc compiles a file, decorators and
// their metadata included. Threads inherit it; so do child processes, where NODE_OPTIONS names it (scripts/jest/run.mjs).
// What has been compiled is kept under the hash of its text, so that nothing stale is ever run.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { threadId } from 'node:worker_threads';

const options = {
  jsc: {
    target: 'es2024',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, verbatimModuleSyntax: true },
  },
  module: { type: 'es6' },
  ...{ sourceMaps: true, swcrc: false, configFile: false },
};
const cache = join(dirname(import.meta.dirname), 'node_modules', '.cache', 'driftloop', 'source');
const require = createRequire(import.meta.url);
const salt = `${require('@swc/core/package.json').version} ${JSON.stringify(options)}`;
mkdirSync(cache, { recursive: true });

/** By the path and the URL of a compiled source: the file of its source map. */
export const sourceMaps = new Map();

registerHooks({
  resolve(specifier, context, next) {
    const conditions = ['driftloop:source', ...context.conditions];
    return next(sourceOf(specifier, context.parentURL), { ...context, conditions });
  },
  load(url, context, next) {
    if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
    return { format: 'module', source: compiled(url, fileURLToPath(url)), shortCircuit: true };
  },
});

/** The `.ts` beside a `.js` that is asked for, where there is one; of packages nothing. */
function sourceOf(specifier, parent) {
  if (!/^(\.|file:)/.test(specifier) || !specifier.endsWith('.js') || !URL.canParse(specifier, parent))
    return specifier;
  const source = new URL(specifier, parent).href.replace(/\.js$/, '.ts');
  return !source.includes('/node_modules/') && existsSync(fileURLToPath(source)) ? source : specifier;
}

function compiled(url, path) {
  const text = readFileSync(path, 'utf8');
  const kept = join(cache, createHash('sha256').update(`${salt}\n${path}\n${text}`).digest('hex'));
  for (const name of [url, path]) sourceMaps.set(name, `${kept}.map`);
  if (existsSync(`${kept}.js`)) return readFileSync(`${kept}.js`, 'utf8');
  // Loaded where it is needed: most processes find all of theirs compiled.
  const { code, map } = require('@swc/core').transformSync(text, { ...options, filename: path });
  const whole = `${code}\n//# sourceMappingURL=${pathToFileURL(kept).href}.map\n`;
  keep(`${kept}.map`, map);
  keep(`${kept}.js`, whole);
  return whole;
}

/** Whole or not at all: many processes and threads start at once. */
function keep(path, text) {
  const own = `${path}.${process.pid}.${threadId}`;
  writeFileSync(own, text);
  renameSync(own, path);
}
