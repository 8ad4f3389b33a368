/** What has a type and no schema: documents, whose Mixed fields mongoose does not look into, and JSON that is no message. */
import { shapeOfDeclaration, shapeOfType } from './shapes.mjs';
import { calls, keyOf, nodesOf } from './walk.mjs';

/** "monitoring cycles.steps[].what: string", of every `connection.model<Document>(name, schema, collection)`. */
export function storedOf(sources, types) {
  return sources.flatMap(({ ast, path, package: owner }) =>
    nodesOf(ast, (node) => calls(node, 'model') && node.typeArguments).flatMap(
      ({ typeArguments, arguments: given }) => {
        const collection = `${owner.replace('@driftloop/', '')} ${given[2]?.expression.value ?? '?'}`;
        return shapeOfType(typeArguments.params[0], path, types).map((line) => `${collection}.${line}`);
      },
    ),
  );
}

/** "@driftloop/client Answer.probability: number", of the exported types whose names fit, by package. */
export function jsonOf(packages, types, wanted) {
  return packages
    .filter(({ name }) => wanted[name])
    .flatMap(({ name, entries }) => Object.keys(entries).map((subpath) => `${name}${subpath.slice(1)}`))
    .flatMap((module) => shapesOf(module, types, wanted[module.split('/').slice(0, 2).join('/')]));
}

function shapesOf(module, types, fits) {
  const names = types.exportedTypes(module).filter((name) => fits.test(name));
  return names.flatMap((name) => {
    const found = types.exported(name, module);
    // A message has a section of its own.
    const isType = found?.node && !found.path.includes('/gen/') && /^Ts(Interface|TypeAlias)/.test(found.node.type);
    return isType ? shapeOfDeclaration(found, types).map((line) => `${module} ${name}.${line}`) : [];
  });
}

/** "prints cycleId, spans, traceId": the fields of an object that is shown where JSON is asked for, beside that flag. */
export function printedOf(sources) {
  const flag = ({ expression: { type, value, property } }) =>
    (type === 'Identifier' ? value : property?.value) === 'json';
  return sources.flatMap(({ ast }) =>
    nodesOf(ast, (node) => node.type === 'CallExpression').flatMap(({ arguments: given }) => {
      const shown = given[given.findIndex(flag) + 1]?.expression;
      if (!given.some(flag) || shown?.type !== 'ObjectExpression') return [];
      return [`prints ${shown.properties.map(fieldOf).sort().join(', ')}`];
    }),
  );
}

const fieldOf = ({ type, key, value }) => (type === 'SpreadElement' ? '…' : type === 'Identifier' ? value : keyOf(key));
