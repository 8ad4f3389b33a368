/** Projections: fields in, or fields out, by dotted path. */
import type { Doc, Value } from './codec.js';
import { badValue, unsupported } from './errors.js';
import { isRecord } from './filter.js';

interface Tree {
  [field: string]: Tree | true;
}

export type Projection = (doc: Doc) => Doc;

const keep: Projection = (doc) => doc;

/** Compiles a projection. The projected document shares values with the one that it is given. */
export function projection(spec: unknown): Projection {
  if (spec === undefined || spec === null) return keep;
  const entries = Object.entries(flatten(spec as Doc));
  if (!entries.length) return keep;
  const shown = entries.map(([path, value]) => [path, isShown(path, value)] as const);
  const id = shown.find(([path]) => path === '_id');
  const rest = shown.filter(([path]) => path !== '_id');
  const inclusive = rest.length ? rest[0][1] : id![1];
  const odd = rest.find(([, value]) => value !== inclusive);
  if (odd) throw badValue(`a projection cannot both include and exclude: ${odd[0]}`, 31254);
  const tree = treeOf(rest.map(([path]) => path));
  if (inclusive) return including(tree, id?.[1] !== false);
  return excluding(id && !id[1] ? { ...tree, _id: true } : tree);
}

function flatten(spec: Doc, prefix = ''): Doc {
  const flat: Doc = {};
  for (const [key, value] of Object.entries(spec)) {
    const operator = isRecord(value) && Object.keys(value).find((name) => name.startsWith('$'));
    if (operator) throw unsupported(`the projection operator ${operator}`);
    if (isRecord(value)) Object.assign(flat, flatten(value, `${prefix}${key}.`));
    else flat[prefix + key] = value;
  }
  return flat;
}

function isShown(path: string, value: unknown): boolean {
  if (path.split('.').some((part) => part.startsWith('$'))) throw unsupported(`the projection ${path}`);
  if (typeof value !== 'number' && typeof value !== 'boolean') throw unsupported(`a projection of ${path} to a value`);
  return Boolean(value);
}

function treeOf(paths: readonly string[]): Tree {
  const tree: Tree = Object.create(null);
  for (const path of paths) grow(tree, path.split('.'), path);
  return tree;
}

function grow(tree: Tree, parts: readonly string[], path: string): void {
  const [head, ...rest] = parts;
  const below = tree[head];
  if (below === true || (below && !rest.length)) throw badValue(`path collision at ${path}`, 31249);
  tree[head] = rest.length ? (below ?? (Object.create(null) as Tree)) : true;
  if (rest.length) grow(tree[head] as Tree, rest, path);
}

function including(tree: Tree, withId: boolean): Projection {
  return (doc) => {
    const picked: Doc = {};
    if (withId && '_id' in doc) picked._id = doc._id;
    return Object.assign(picked, pick(doc, tree));
  };
}

function pick(doc: Doc, tree: Tree): Doc {
  const picked: Doc = {};
  for (const key of Object.keys(doc)) {
    const below = tree[key];
    if (below === undefined) continue;
    const value = below === true ? doc[key] : pickValue(doc[key], below);
    if (value !== undefined) picked[key] = value;
  }
  return picked;
}

function pickValue(value: Value, tree: Tree): Value {
  if (Array.isArray(value)) return value.map((item) => pickValue(item, tree)).filter((item) => item !== undefined);
  return isRecord(value) ? pick(value, tree) : undefined;
}

function excluding(tree: Tree): Projection {
  return (doc) => omit(doc, tree);
}

function omit(doc: Doc, tree: Tree): Doc {
  const left: Doc = {};
  for (const key of Object.keys(doc)) {
    const below = tree[key];
    if (below !== true) left[key] = below === undefined ? doc[key] : omitValue(doc[key], below);
  }
  return left;
}

function omitValue(value: Value, tree: Tree): Value {
  if (Array.isArray(value)) return value.map((item) => omitValue(item, tree));
  return isRecord(value) ? omit(value, tree) : value;
}
