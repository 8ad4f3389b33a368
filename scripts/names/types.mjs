/** Finding a type's declaration: in its own file, behind an import, or in another workspace package. */
import { join } from 'node:path';
import { exportedFrom, fileOf } from './exports.mjs';
import { sourceOf } from './sources.mjs';

/** A finder over these packages: `find(name, path)` gives where a type that a file names is declared, or undefined. */
export function typesOf(packages, parse) {
  const entryOf = (module) => {
    const found = packages.find(({ name }) => module === name || module.startsWith(`${name}/`));
    const file = found?.entries[`.${module.slice(found.name.length)}`];
    return file && sourceOf(join(found.dir, file));
  };
  const exported = (name, module, path) => {
    const file = module === path ? path : (fileOf(module, path) ?? entryOf(module));
    if (!file || file.includes('/gen/')) return undefined;
    const all = exportedFrom(file, parse);
    const at = all.get(`type ${name}`) ?? all.get(name);
    if (at?.node) return at;
    return at?.name && (at.module === file ? find(at.name, file) : exported(at.name, at.module, at.path));
  };
  const find = (name, path) => {
    const { body } = parse(path);
    const declarations = body.map((statement) => statement.declaration ?? statement);
    const node = declarations.find(({ type, id }) => /^Ts(Interface|TypeAlias)/.test(type) && id.value === name);
    if (node) return { path, node };
    for (const { type, source, specifiers } of body) {
      const own = type === 'ImportDeclaration' && specifiers.find(({ local }) => local.value === name);
      if (own) return exported(own.imported?.value ?? name, source.value, path);
    }
    return undefined;
  };
  const exportedTypes = (module) =>
    [...exportedFrom(entryOf(module), parse).keys()]
      .filter((name) => name.startsWith('type '))
      .map((name) => name.slice(5));
  return { find, exportedTypes, exported: (name, module) => exported(name, module, '') };
}
