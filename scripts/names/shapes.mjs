/**
 * The shape of a type as paths with their leaf types: "judged[].day: number". For what a schema calls Mixed, and for JSON
 * that has no message. Names of types do not show, but where a shape ends: at a message, a class, or in itself.
 */

/** The paths of a type of a file. `types` finds declarations. */
export const shapeOfType = (type, path, types) => pathsOf(path, types, (ctx) => follow(type, ctx));

/** The paths of a declared interface or type. */
export const shapeOfDeclaration = ({ node, path }, types) => pathsOf(path, types, (ctx) => enter(node, ctx));

function pathsOf(path, types, begin) {
  const leaves = new Map();
  const add = (at, name) => leaves.set(at, (leaves.get(at) ?? new Set()).add(name));
  begin({ path, types, at: '', within: [], add });
  return [...leaves].map(([at, names]) => `${at}: ${[...names].sort().join(' | ')}`);
}

const leaf = (ctx, name) => ctx.add(ctx.at, name);

function follow(type, ctx) {
  switch (type.type) {
    case 'TsKeywordType':
      return leaf(ctx, type.kind);
    case 'TsLiteralType':
      return leaf(ctx, JSON.stringify(type.literal.value ?? 'text'));
    case 'TsArrayType':
      return follow(type.elemType, { ...ctx, at: `${ctx.at}[]` });
    case 'TsTupleType':
      for (const [i, { ty }] of type.elemTypes.entries()) follow(ty, { ...ctx, at: `${ctx.at}[${i}]` });
      return undefined;
    case 'TsParenthesizedType':
    case 'TsTypeOperator':
    case 'TsOptionalType':
      return follow(type.typeAnnotation, ctx);
    case 'TsTypeLiteral':
      return members(type.members, ctx);
    case 'TsUnionType':
    case 'TsIntersectionType':
      for (const one of type.types) follow(one, ctx);
      return undefined;
    case 'TsTypeReference':
      return reference(type, ctx);
    default:
      return leaf(ctx, '…');
  }
}

/** The names under which one type is another. */
const same = new Set(['Readonly', 'Required', 'NonNullable']);
const many = new Set(['Array', 'ReadonlyArray', 'Set', 'ReadonlySet']);
const byKey = new Set(['Record', 'Map', 'ReadonlyMap']);

function reference({ typeName, typeParams }, ctx) {
  const name = typeName.value ?? '…';
  const [first, second] = typeParams?.params ?? [];
  if (same.has(name)) return follow(first, ctx);
  if (name === 'Partial') return follow(first, { ...ctx, optional: '?' });
  if (many.has(name)) return follow(first, { ...ctx, at: `${ctx.at}[]` });
  if (byKey.has(name)) return follow(second, { ...ctx, at: `${ctx.at}{}` });
  if (name === 'Omit' || name === 'Pick') return follow(first, { ...ctx, keys: keysFor(name, second) });
  const found = ctx.within.includes(name) ? undefined : ctx.types.find(name, ctx.path);
  if (!found?.node || !/^Ts/.test(found.node.type)) return leaf(ctx, name);
  return enter(found.node, { ...ctx, path: found.path, within: [...ctx.within, name] });
}

/** Which members are wanted: those that are named, or all others. */
function keysFor(how, named) {
  const texts = new Set((named.types ?? [named]).map(({ literal }) => literal?.value));
  return (key) => texts.has(key) === (how === 'Pick');
}

function enter(node, ctx) {
  if (node.type === 'TsTypeAliasDeclaration') return follow(node.typeAnnotation, ctx);
  for (const { expression, typeArguments } of node.extends ?? [])
    reference({ typeName: expression, typeParams: typeArguments }, ctx);
  return members(node.body.body, ctx);
}

function members(list, ctx) {
  const { keys, optional = '', ...rest } = ctx;
  for (const { type, key, typeAnnotation, optional: own } of list) {
    if (type === 'TsIndexSignature') follow(typeAnnotation.typeAnnotation, { ...rest, at: `${ctx.at}{}` });
    if (type !== 'TsPropertySignature' || (keys && !keys(key.value))) continue;
    const at = `${ctx.at}${ctx.at && '.'}${key.value}${own ? '?' : optional}`;
    if (typeAnnotation) follow(typeAnnotation.typeAnnotation, { ...rest, at });
  }
}
