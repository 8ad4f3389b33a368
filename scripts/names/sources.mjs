/**
 * The product's sources, parsed: of every workspace package what its entries reach. So a file may be moved, renamed or split
 * and stays what it was, and what only tests reach is left out wherever it lies.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from '@swc/core';
import { nodesOf } from './walk.mjs';

/**
 * @typedef {{ path: string, package: string, text: string, ast: object, to: string[] }} Source
 * @typedef {{ name: string, dir: string, entries: Record<string, string>, sources: Source[] }} Package
 */

/** The workspace packages below a root, each with the sources that its entries reach. `read` gives a file's text. */
export function packagesIn(root, read = (path) => readFileSync(path, 'utf8')) {
  const manifest = (dir) => JSON.parse(read(join(dir, 'package.json')));
  const { workspaces, scripts = {} } = manifest(root);
  const started = Object.values(scripts).flatMap((script) => script.match(/\S+\/dist\/\S+\.js/g) ?? []);
  const dirs = workspaces.flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root })).map(dirname);
  return dirs.sort().map((dir) => {
    const { name, exports = {}, bin = {} } = manifest(join(root, dir));
    const entries = entriesOf(exports);
    const bins = Object.values(bin).map((path) => join(root, dir, path));
    const mains = started.filter((path) => path.startsWith(`${dir}/`)).map((path) => join(root, path));
    const paths = [...Object.values(entries).map((path) => join(root, dir, path)), ...bins, ...mains];
    return { name, dir: join(root, dir), entries, sources: reached(paths, name, read) };
  });
}

/** By subpath, the file that an import of it gives: its source where the package says so. */
function entriesOf(exports) {
  const code = Object.entries(exports).filter(([, target]) => typeof target === 'object');
  return Object.fromEntries(code.map(([subpath, target]) => [subpath, target['driftloop:source'] ?? target.default]));
}

/** Modules below a folder that belong to no package: what a container starts. */
export function loose(folder, read) {
  const paths = globSync('*/*.mjs', { cwd: folder })
    .sort()
    .map((path) => join(folder, path));
  return paths.map((path) => ({ path, ast: parsed(read(path), path) }));
}

/** These files and all that they reach within their package. */
function reached(paths, name, read) {
  const found = new Map();
  const visit = (path) => {
    if (!path || found.has(path) || path.includes('/gen/')) return;
    const text = read(path);
    const ast = parsed(text, path);
    found.set(path, { path, package: name, text, ast, to: [] });
    const to = relativeNames(ast).map((relative) => sourceOf(join(dirname(path), relative)));
    found.get(path).to = to.filter(Boolean);
    for (const next of found.get(path).to) visit(next);
  };
  for (const path of paths) visit(sourceOf(path));
  return [...found.values()];
}

/** A module's source: what is compiled, and what is written as it runs. */
export function sourceOf(path) {
  const written = path.replace('/dist/', '/src/');
  const candidates = [written.replace(/\.js$/, '.ts'), written, written.replace(/\.js$/, '.mjs')];
  return candidates.find((candidate) => /\.(ts|m?js)$/.test(candidate) && existsSync(candidate));
}

/** What is imported, exported again, or started by its place beside this one: a worker, a process of its own. */
function relativeNames(ast) {
  const texts = nodesOf(ast, (node) => node.type === 'StringLiteral' && /^\.\.?\/.*\.m?js$/.test(node.value));
  return [...new Set(texts.map(({ value }) => value))];
}

/** A module's syntax tree; of a Program or of Flow nothing is known here. */
export function parsed(text, path = 'a.ts') {
  const typescript = path.endsWith('.ts');
  const options = typescript ? { syntax: 'typescript', decorators: true } : { syntax: 'ecmascript' };
  return parseSync(text, { ...options, target: 'es2024', comments: false });
}
