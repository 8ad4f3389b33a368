/** Names that stand in the code as literals: keys and files, variables of the environment, spans, options, errors. */
import { emptyHole, shapeOf, textOf } from './texts.mjs';
import { calls, keyOf, nodesOf, walk } from './walk.mjs';

/** Every literal of these sources, holes empty. */
function shapesOf(sources) {
  const found = new Set();
  for (const { ast } of sources)
    walk(ast, (node) => {
      if (node.type.endsWith('ImportDeclaration') || node.type === 'TsLiteralType') return false;
      const shape = shapeOf(node) ?? (node.type === 'KeyValueProperty' ? keyOf(node.key) : undefined);
      if (shape) found.add(shape);
      return true;
    });
  return [...found];
}

/** Object keys, ids of documents and of what is in them: templates with a slash and no space, modules apart. */
export function keysOf(sources) {
  const key = /^[\w${}=|,:~-][\w.${}=|,:~-]*(\/[\w.${}=|@,:~-]+)+$/;
  return shapesOf(sources).filter((shape) => key.test(shape) && shape.includes(emptyHole));
}

/** Files by name: what `join` puts behind a folder, the one for temporary files apart. */
export function filesOf(sources) {
  const named = ({ arguments: [, ...parts] }) => parts.map(({ expression }) => shapeOf(expression) ?? emptyHole);
  const joins = (node) =>
    node.callee?.value === 'join' && calls(node, 'join') && !calls(node.arguments[0].expression, 'tmpdir');
  const paths = sources.flatMap(({ ast }) => nodesOf(ast, joins)).map((node) => named(node).join('/'));
  return paths.filter((path) => /[a-z]/.test(path));
}

/** Variables of the environment, wherever one is named: whole words in capitals with our own or a known beginning. */
export function variablesOf(sources) {
  const found = new Set();
  const known = /^(DRIFTLOOP|KAFKA|MONGODB|S3|OTEL|ORT)_[A-Z0-9_${}]+$/;
  for (const { ast } of sources)
    walk(ast, (node) => {
      const name = shapeOf(node) ?? (node.type === 'Identifier' ? node.value : undefined);
      if (name && known.test(name)) found.add(name);
      for (const own of takenFromEnv(node)) found.add(own);
    });
  return [...found];
}

/** `process.env.NAME`, `const { NAME } = process.env`. */
function takenFromEnv({ type, object, property, id, init }) {
  const isEnv = (node) => node?.type === 'MemberExpression' && node.property?.value === 'env';
  if (type === 'MemberExpression' && isEnv(object) && property.type === 'Identifier') return [property.value];
  if (type !== 'VariableDeclarator' || !isEnv(init) || id.type !== 'ObjectPattern') return [];
  return id.properties.flatMap(({ key }) => (key?.type === 'Identifier' ? [key.value] : []));
}

/** Attributes and other names under our own prefix: "driftloop.cycle.id", "driftloop.evidence.${}". */
export const ownNamesOf = (sources) =>
  shapesOf(sources).filter((shape) => /^driftloop[.:-][\w.${}:-]*[\w}]$/.test(shape));

/** What spans are called: the name that the telemetry is given first, and a step of a cycle with the name that it shows. */
export function spanNamesOf(sources) {
  const opens = ['consumed', 'sent', 'served', 'asked'];
  const trees = sources.map(({ ast }) => ast);
  const made = nodesOf(trees, (node) => opens.some((name) => calls(node, name))).map(
    (node) => node.arguments[0]?.expression,
  );
  const acts = nodesOf(trees, ({ type, properties }) => type === 'ObjectExpression' && given(properties, 'step'));
  const steps = acts.flatMap(({ properties }) => [given(properties, 'step'), given(properties, 'name')]);
  return [...made, ...steps].map((node) => node && shapeOf(node)).filter(Boolean);
}

const given = (properties, name) => properties.find(({ key }) => keyOf(key) === name)?.value;

/** The options of programs that have no commander, as their help tells them: "npm run chaos --seed N". */
export function usageOf(sources) {
  const texts = shapesOf(sources).filter((text) => /^npm .*\[-- OPTIONS\]/.test(text));
  return texts.flatMap((text) => {
    const program = text.slice(0, text.indexOf(' ['));
    return [...text.matchAll(/^ {2}(--\S+(?: [A-Z]+)?)/gm)].map(([, option]) => `${program} ${option}`);
  });
}

/** The errors of every catalogue: who, code, status, whether trying again may help, and what it says. */
export function errorsOf(sources) {
  const catalogues = sources.flatMap(({ ast }) => nodesOf(ast, (node) => calls(node, 'catalogue')));
  return catalogues.flatMap(({ arguments: [owner, rows] }) =>
    (rows?.expression.properties ?? []).map(({ key, value }) => {
      const [status, retriable, message] = ['status', 'retriable', 'message'].map((name) =>
        given(value.properties, name),
      );
      const kind = `${textOf(status)} ${retriable.value ? 'retriable' : 'final'}`;
      return `${textOf(owner.expression)} ${keyOf(key)} ${kind}: ${saidBy(message ?? value)}`;
    }),
  );
}

function saidBy(message) {
  const texts = [];
  walk(message, (node) => {
    if (/^Ts/.test(node.type)) return false;
    const text = shapeOf(node);
    if (text) texts.push(text);
    return text === undefined || node.type === 'TemplateLiteral';
  });
  return texts.join(' | ');
}
