/**
 * From feature tensors to the matrix that trees read: numbers in spec order, then texts as category codes.
 *
 * I1  Numbers pass through FLOAT: the trainer rounds to float32 before it compares, and so must the graph. Those that the
 *     trainer compares as they are do not: they are the matrix's last columns.
 * I2  A text outside its category list, and a missing one, is NaN: it takes the path that the tree learned for "other".
 */
import { isDouble, type ModelFeature } from '@driftloop/algorithms';
import { featureLayout, type ModelSpec } from '@driftloop/contracts';
import { onnxErrors } from './errors.js';
import { float, floats, integer, type Node, node, strings, Type } from './graph.js';

export interface EncodedFeatures {
  readonly nodes: Node[];
  /** Name of the [n, columns] DOUBLE matrix. */
  readonly matrix: string;
  /** Column of the matrix by feature name. */
  readonly columnOf: ReadonlyMap<string, number>;
}

/** Nodes that gather the spec's features into one matrix, for a model's features. Throws MODEL_INTERFACE. */
export function encodeFeatures(spec: ModelSpec, features: readonly ModelFeature[]): EncodedFeatures {
  const { numbers, texts } = featureLayout(spec);
  checkFeatures(features, numbers, texts);
  const dictionaries = new Map(features.map((f) => [f.name, f.kind === 'categorical' ? f.categories : []]));
  const doubles = new Set(features.filter(isDouble).map(({ name }) => name));
  const narrow = numbers.filter((name) => !doubles.has(name));
  const exact = numbers.filter((name) => doubles.has(name));
  const codes = texts.map((text) => codesOf(text, dictionaries.get(text) ?? []));
  const floats = [...(narrow.length ? ['driftloop_numbers_f32'] : []), ...texts.map(codeName)];
  const nodes = [
    ...(narrow.length
      ? [concat(narrow, 'driftloop_numbers'), cast('driftloop_numbers', 'driftloop_numbers_f32', Type.FLOAT)]
      : []),
    ...codes,
    ...(floats.length ? widened(floats, exact.length ? 'driftloop_floats' : matrix) : []),
    ...(exact.length ? [concat([...(floats.length ? ['driftloop_floats'] : []), ...exact], matrix)] : []),
  ];
  const columnOf = new Map([...narrow, ...texts, ...exact].map((name, column) => [name, column]));
  return { nodes, matrix, columnOf };
}

const matrix = 'driftloop_matrix';

const concat = (parts: readonly string[], to: string): Node => node('Concat', [...parts], to, [integer('axis', 1)]);
const cast = (from: string, to: string, type: number): Node => node('Cast', [from], to, [integer('to', type)]);

/** FLOAT columns side by side, as DOUBLE. */
const widened = (parts: readonly string[], to: string): Node[] => [
  concat(parts, 'driftloop_matrix_f32'),
  cast('driftloop_matrix_f32', to, Type.DOUBLE),
];

const codeName = (text: string): string => `driftloop_code_${text}`;

function codesOf(text: string, categories: readonly string[]): Node {
  // An encoder needs a key: the missing text, which is "other" anyway.
  const keys = categories.length ? categories : [''];
  const values = categories.length ? categories.map((_, code) => code) : [Number.NaN];
  return node(
    'LabelEncoder',
    [text],
    codeName(text),
    [strings('keys_strings', keys), floats('values_floats', values), float('default_float', Number.NaN)],
    'ml',
  );
}

function checkFeatures(features: readonly ModelFeature[], numbers: readonly string[], texts: readonly string[]): void {
  for (const { name, kind } of features) {
    const expected = numbers.includes(name) ? 'a number' : texts.includes(name) ? 'a text' : 'no such column';
    const found = kind === 'numeric' ? 'a number' : 'a text';
    if (expected !== found) throw onnxErrors.MODEL_INTERFACE({ feature: name, expected, found });
  }
}
