/** The $group stage: by a field, by several, or all in one; fields and numbers accumulate, other expressions are refused. */
import type { Doc, Value } from './codec.js';
import { unsupported } from './errors.js';
import { isRecord } from './filter.js';
import { keyOf } from './keys.js';
import { compareValues } from './order.js';

/** An expression's value in a document; undefined where it is missing. */
type Expression = (doc: Doc) => Value;
/** What an accumulator makes of the values of a group. */
type Accumulator = (values: readonly Value[]) => Value;

const numbers = (values: readonly Value[]) => values.filter((value): value is number => typeof value === 'number');
const present = (values: readonly Value[]) => values.filter((value) => (value ?? null) !== null);

const accumulators: Readonly<Record<string, Accumulator>> = {
  $sum: (values) => sum(numbers(values)),
  $avg: (values) => (numbers(values).length ? sum(numbers(values)) / numbers(values).length : null),
  $min: (values) => extreme(present(values), -1),
  $max: (values) => extreme(present(values), 1),
  $first: (values) => values[0] ?? null,
  $last: (values) => values.at(-1) ?? null,
  $push: (values) => values.filter((value) => value !== undefined),
};

/** In two doubles, as mongod adds: what the larger loses is kept in the smaller. */
function sum(values: readonly number[]): number {
  const simple = values.reduce((total, value) => total + value, 0);
  if (!Number.isFinite(simple)) return simple;
  let [total, lost] = [0, 0];
  for (const value of values) {
    const [added, below] = exactSum(value, lost);
    [total, lost] = exactSum(total, added);
    lost += below;
  }
  return total + lost;
}

/** The double nearest to a + b, and what it misses (Knuth's two-sum). */
function exactSum(a: number, b: number): [number, number] {
  const nearest = a + b;
  const ofB = nearest - a;
  return [nearest, a - (nearest - ofB) + (b - ofB)];
}

function extreme(values: readonly Value[], sign: 1 | -1): Value {
  if (!values.length) return null;
  return values.reduce((best, value) => (compareValues(value, best) * sign > 0 ? value : best));
}

/** Compiles the stage. Throws UNSUPPORTED by name. */
export function group(argument: Value): (docs: Doc[]) => Doc[] {
  const { _id, ...fields } = argument as Doc;
  const identity = identityOf(_id);
  const parts = Object.entries(fields).map(([field, accumulated]) => ({
    field,
    ...accumulationOf(field, accumulated),
  }));
  return (docs) =>
    [...grouped(docs, identity).values()].map(({ id, members }) => {
      const found: Doc = { _id: id };
      for (const { field, accumulate, expression } of parts) found[field] = accumulate(members.map(expression));
      return found;
    });
}

interface Group {
  readonly id: Value;
  readonly members: Doc[];
}

function grouped(docs: readonly Doc[], identity: Expression): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const doc of docs) {
    const id = identity(doc) ?? null;
    const key = keyOf(id);
    const name = key instanceof Uint8Array ? `bytes:${Buffer.from(key).toString('latin1')}` : `${typeof key}:${key}`;
    const group = groups.get(name);
    if (group) group.members.push(doc);
    else groups.set(name, { id, members: [doc] });
  }
  return groups;
}

/** Several fields make an object of those that are there. */
function identityOf(spec: Value): Expression {
  if (!isRecord(spec)) return expressionOf(spec);
  const fields = Object.entries(spec).map(([name, value]) => [name, expressionOf(value)] as const);
  return (doc) => {
    const id: Doc = {};
    for (const [name, expression] of fields) {
      const value = expression(doc);
      if (value !== undefined) id[name] = value;
    }
    return id;
  };
}

function accumulationOf(field: string, spec: Value): { accumulate: Accumulator; expression: Expression } {
  const [[operator, argument], ...more] = isRecord(spec) ? Object.entries(spec) : [];
  const accumulate = accumulators[operator];
  if (!accumulate || more.length) throw unsupported(`the accumulator ${operator ?? JSON.stringify(spec)} of ${field}`);
  return { accumulate, expression: expressionOf(argument) };
}

/** A field by its path, or a constant. */
function expressionOf(spec: Value): Expression {
  if (typeof spec === 'string' && spec.startsWith('$')) {
    const parts = spec.slice(1).split('.');
    if (parts.some((part) => !part || part.startsWith('$'))) throw unsupported(`the expression ${spec}`);
    return (doc) => valueAt(doc, parts, 0);
  }
  if (isRecord(spec) || Array.isArray(spec)) throw unsupported(`the expression ${JSON.stringify(spec)}`);
  return () => spec;
}

/** A path leads through an array to those of its objects that have the rest of it. */
function valueAt(value: Value, parts: readonly string[], at: number): Value {
  if (at === parts.length) return value;
  if (Array.isArray(value)) {
    return value.filter(isRecord).flatMap((item) => {
      const found = valueAt(item, parts, at);
      return found === undefined ? [] : [found];
    });
  }
  if (!isRecord(value) || !Object.hasOwn(value, parts[at])) return undefined;
  return valueAt(value[parts[at]], parts, at + 1);
}
