/** What packages export: by entry the names of values and of types, as the sources say, through every `export *`. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parsed, sourceOf } from './sources.mjs';

/** By package and entry ("@driftloop/bus ./kafka") its names: `Control`, `type Answer`. */
export function exportsOf(packages, parse = parser()) {
  const entries = packages.flatMap(({ name, dir, entries: files }) =>
    Object.entries(files).map(([subpath, file]) => [`${name} ${subpath}`, sourceOf(join(dir, file))]),
  );
  return Object.fromEntries(entries.map(([entry, path]) => [entry, [...exportedFrom(path, parse).keys()]]));
}

/** Parses a file once; what the sources have already is taken from them. */
export function parser(sources = []) {
  const known = new Map(sources.map(({ path, ast }) => [path, ast]));
  return (path) => {
    if (!known.has(path)) known.set(path, parsed(readFileSync(path, 'utf8'), path));
    return known.get(path);
  };
}

/** The names that a module exports, and where each is declared: a place in its own code, or a name of another module. */
export function exportedFrom(path, parse) {
  const found = new Map();
  for (const statement of parse(path).body)
    for (const [name, at] of namesOf(statement, path, parse)) found.set(name, at);
  return found;
}

function namesOf(statement, path, parse) {
  const from = statement.source && fileOf(statement.source.value, path);
  switch (statement.type) {
    case 'ExportAllDeclaration':
      return from ? [...exportedFrom(from, parse)] : [[`* of ${statement.source.value}`, {}]];
    case 'ExportDeclaration':
      return declared(statement.declaration).map((name) => [name, { path, node: statement.declaration }]);
    case 'ExportNamedDeclaration':
      return statement.specifiers.map((specifier) => {
        const name = (specifier.exported ?? specifier.orig ?? specifier.name).value;
        const kind = statement.typeOnly || specifier.isTypeOnly ? 'type ' : '';
        const at = { module: statement.source?.value ?? path, path, name: (specifier.orig ?? specifier.name).value };
        return [`${kind}${name}`, at];
      });
    case 'ExportDefaultDeclaration':
    case 'ExportDefaultExpression':
      return [['default', { path, node: statement }]];
    default:
      return [];
  }
}

/** The file that a relative module name means; undefined for a package's. */
export const fileOf = (module, path) => (module.startsWith('.') ? sourceOf(join(dirname(path), module)) : undefined);

/** The names of a declaration. */
function declared({ type, id, identifier, declarations }) {
  if (type === 'VariableDeclaration') return declarations.flatMap(({ id: pattern }) => bound(pattern));
  const { value } = id ?? identifier;
  return [/^Ts(Interface|TypeAlias)/.test(type) ? `type ${value}` : value];
}

function bound(pattern) {
  if (pattern.type === 'Identifier') return [pattern.value];
  return (pattern.properties ?? []).flatMap(({ value, key }) => (value ? bound(value) : [key.value]));
}
