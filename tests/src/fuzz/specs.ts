/** Specs that are nearly right: one place of a good one changed, or its text, or a document that is hard to read. */
import type { Random } from '@driftloop/algorithms';
import { parse, stringify } from 'yaml';
import * as hostile from './hostile.js';
import type { Change } from './mutate.js';
import { target } from './world.js';

interface Place {
  readonly path: string;
  readonly within: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

/** Models that come of specs that are taken: few, so that what they hold does not grow with the run. */
const names = [0, 1, 2].map((i) => `${target}-${i}`);

/** A changed spec's text. */
export function changedSpec(spec: string, random: Random): { text: string } & Change {
  if (random.integer(5) === 0) return changedText(spec, random);
  const tree = treeOf(spec);
  (tree.metadata as Record<string, unknown>).name = hostile.oneOf(random, names);
  const places = [...placesIn(tree)];
  const place = hostile.oneOf(random, places);
  const mutation = changePlace(place, random);
  return { text: textOf(tree, random), field: place.path, mutation };
}

let parsed: { readonly spec: string; readonly tree: Record<string, unknown> } | undefined;

function treeOf(spec: string): Record<string, unknown> {
  if (parsed?.spec !== spec) parsed = { spec, tree: parse(spec) as Record<string, unknown> };
  return structuredClone(parsed.tree);
}

/** What cannot be written as YAML (a key that is an object's own machinery) is written as JSON, which YAML is. */
function textOf(tree: unknown, random: Random): string {
  return random.integer(12)
    ? JSON.stringify(tree)
    : stringify(tree, { aliasDuplicateObjects: random.integer(2) === 0 });
}

function* placesIn(node: unknown, path = ''): Generator<Place> {
  if (typeof node !== 'object' || node === null) return;
  const within = node as Record<string, unknown>;
  for (const key of Object.keys(within)) {
    const own = Array.isArray(node) ? `${path}[]` : `${path}${path && '.'}${key}`;
    yield { path: own, within, key };
    yield* placesIn(within[key], own);
  }
}

function changePlace({ within, key }: Place, random: Random): string {
  const node = within as Record<string, unknown>;
  const old = node[key];
  switch (random.integer(7)) {
    case 0:
      delete node[key];
      return 'left out';
    case 1:
      delete node[key];
      Object.defineProperty(node, nameOf(random), { value: old, enumerable: true, configurable: true });
      return 'under another name';
    case 2:
      Object.defineProperty(node, nameOf(random), {
        value: hostile.json(random),
        enumerable: true,
        configurable: true,
      });
      return 'a field beside it';
    case 3:
      node[key] = Array.from({ length: hostile.sizeUpTo(random, 400) }, () => old);
      return 'many of it';
    case 4:
      node[key] = nameOf(random);
      return 'a name that objects have';
    case 5:
      node[key] = hostile.text(random);
      return 'another text';
    default:
      node[key] = hostile.json(random);
      return 'another type';
  }
}

const nameOf = (random: Random): string =>
  hostile.oneOf(random, [
    '__proto__',
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '$ref',
    'a.b',
    'a b',
    '"',
    '',
  ]);

function changedText(spec: string, random: Random): { text: string } & Change {
  const many = hostile.sizeUpTo(random, random.integer(100) === 0 ? 60_000 : 3000);
  const texts: [string, string][] = [
    ['cut off', spec.slice(0, random.integer(spec.length))],
    ['deep lists', `${'['.repeat(many)}${random.integer(2) ? ']'.repeat(many) : ''}`],
    ['deep maps', `${'{a: '.repeat(many)}`],
    ['many keys', `${'? '.repeat(many)}x`],
    ['aliases of aliases', bomb(Math.min(9, 2 + random.integer(8)))],
    ['a tag', `${spec}\nmore: !!js/function "x"`],
    ['tabs', spec.replaceAll('  ', '\t')],
    ['many documents', '---\na: 1\n'.repeat(Math.min(many, 3000))],
    ['many errors', 'a: b: c\n'.repeat(many)],
    ['a long line', `a: ${hostile.text(random)}`],
    ['a key twice', `${spec}\nkind: Model`],
    ['a merge key', `x: &x { a: 1 }\n<<: *x\n${spec}`],
    ['noise', Buffer.from(hostile.noise(random, many % 4000)).toString('latin1')],
  ];
  const [mutation, text] = hostile.oneOf(random, texts);
  // A whole spec with something beside it may be taken: not as the model that is asked.
  return { text: text.replace(`name: ${target},`, `name: ${names[0]},`), field: '', mutation };
}

function bomb(levels: number): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < levels; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(8)}]`);
  return lines.join('\n');
}
