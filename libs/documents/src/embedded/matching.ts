/**
 * Filters as predicates, in mongod's terms.
 *
 * I1  A condition on a path holds when it holds of any value there: the value, and where it is an array each element.
 * I2  Comparisons stay within one type; equality of objects minds the order of their fields.
 * I3  $ne, $nin, $not and $nor are plain negations.
 */
import type { Doc, Value } from './codec.js';
import { badValue } from './errors.js';
import { check, isOperators, isRecord } from './filter.js';
import { compareValues } from './order.js';

export type Predicate = (doc: Doc) => boolean;
/** A test of what is at a path: the leaves that the path leads to, `undefined` where it leads nowhere. */
type LeavesTest = (leaves: readonly Value[]) => boolean;
type ValueTest = (value: Value) => boolean;

/** The predicate of a plain filter. Throws UNSUPPORTED by name for operators that are not listed. */
export function matcher(filter: Doc): Predicate {
  check(filter);
  return predicate(filter);
}

function predicate(filter: Doc): Predicate {
  return all(Object.entries(filter).map(([path, condition]) => part(path, condition)));
}

function all<T>(tests: readonly ((value: T) => boolean)[]): (value: T) => boolean {
  if (tests.length === 1) return tests[0];
  return (value) => tests.every((test) => test(value));
}

function part(path: string, condition: Value): Predicate {
  if (path.startsWith('$')) return joined(path, (condition as Doc[]).map(predicate));
  const parts = path.split('.');
  const test = condition instanceof RegExp ? anyOf(pattern(condition)) : conditionTest(condition);
  if (parts.length === 1) return (doc) => test([Object.hasOwn(doc, path) ? doc[path] : undefined]);
  return (doc) => test(leavesOf(doc, parts, 0));
}

function joined(operator: string, predicates: readonly Predicate[]): Predicate {
  if (operator === '$and') return all(predicates);
  const any: Predicate = (doc) => predicates.some((one) => one(doc));
  return operator === '$or' ? any : (doc) => !any(doc);
}

/** What is at a path; arrays on the way lead to each of their objects, and by number to one element. */
function leavesOf(value: Value, parts: readonly string[], from: number): Value[] {
  if (from === parts.length) return [value];
  const part = parts[from];
  if (Array.isArray(value)) {
    const each = value.flatMap((item) => (isRecord(item) ? leavesOf(item, parts, from) : []));
    const byNumber = /^\d+$/.test(part) && Number(part) < value.length;
    return byNumber ? [...indexed(leavesOf(value[Number(part)], parts, from + 1), parts, from), ...each] : each;
  }
  if (!isRecord(value) || !Object.hasOwn(value, part)) return [undefined];
  return leavesOf(value[part], parts, from + 1);
}

/** An array in an array, reached by its number or by $elemMatch: its elements are not looked at. */
class Whole {
  constructor(readonly array: readonly Value[]) {}
}

function indexed(leaves: Value[], parts: readonly string[], from: number): Value[] {
  if (from < parts.length - 1) return leaves;
  return leaves.map(whole);
}

const whole = (value: Value): Value => (Array.isArray(value) ? new Whole(value) : value);

const arrayOf = (leaf: Value): Value => (leaf instanceof Whole ? leaf.array : leaf);

/** The values at a path, arrays' elements one by one: what `distinct` tells apart. Missing ones are left out. */
export function valuesAt(doc: Doc, path: string): Value[] {
  const leaves = leavesOf(doc, path.split('.'), 0).map(arrayOf);
  return leaves.flat().filter((value) => value !== undefined);
}

function conditionTest(condition: Value): LeavesTest {
  if (!isOperators(condition)) return anyOf(equals(condition));
  const { $options, ...operators } = condition;
  return all(Object.entries(operators).map(([operator, value]) => operatorTest(operator, value, $options)));
}

function operatorTest(operator: string, value: Value, options: Value): LeavesTest {
  switch (operator) {
    case '$eq':
      return anyOf(equals(value));
    case '$ne':
      return not(anyOf(equals(value)));
    case '$in':
      return anyOf(among(value as Value[]));
    case '$nin':
      return not(anyOf(among(value as Value[])));
    case '$gt':
      return anyOf(ordered(value, (order) => order > 0));
    case '$gte':
      return anyOf(ordered(value, (order) => order >= 0));
    case '$lt':
      return anyOf(ordered(value, (order) => order < 0));
    case '$lte':
      return anyOf(ordered(value, (order) => order <= 0));
    case '$exists':
      return (leaves) => leaves.some((leaf) => leaf !== undefined) === Boolean(value);
    case '$regex':
      return anyOf(pattern(new RegExp(value as RegExp | string, options as string | undefined)));
    case '$not':
      return not(value instanceof RegExp ? anyOf(pattern(value)) : conditionTest(operatorsOnly(value)));
    case '$size':
      return (leaves) => leaves.map(arrayOf).some((leaf) => Array.isArray(leaf) && leaf.length === value);
    case '$all':
      return allOf(value as Value[]);
    case '$elemMatch':
      return elementMatches(value as Doc);
    default:
      return anyOf(typed(value));
  }
}

const not =
  (test: LeavesTest): LeavesTest =>
  (leaves) =>
    !test(leaves);

/** I1 */
function anyOf(test: ValueTest): LeavesTest {
  return (leaves) => {
    for (const leaf of leaves) {
      if (test(arrayOf(leaf))) return true;
      if (Array.isArray(leaf) && leaf.some(test)) return true;
    }
    return false;
  };
}

function equals(wanted: Value): ValueTest {
  if (wanted === null) return (value) => value === null || value === undefined;
  if (typeof wanted === 'string' || typeof wanted === 'boolean') return (value) => value === wanted;
  if (wanted instanceof RegExp) return pattern(wanted);
  return (value) => value !== undefined && value !== null && compareValues(value, wanted) === 0;
}

function among(wanted: readonly Value[]): ValueTest {
  const plain = new Set(wanted.filter((value) => typeof value === 'string'));
  const others = wanted.filter((value) => typeof value !== 'string').map(equals);
  return (value) => plain.has(value as string) || others.some((test) => test(value));
}

/** I2 */
function ordered(bound: Value, holds: (order: number) => boolean): ValueTest {
  if (bound === null) return (value) => (value ?? null) === null && holds(0);
  if (Number.isNaN(bound)) return (value) => Number.isNaN(value) && holds(0);
  const type = typeOf(bound);
  return (value) => typeOf(value) === type && !Number.isNaN(value) && holds(compareValues(value, bound));
}

function pattern(expression: RegExp): ValueTest {
  const { source, flags } = expression;
  const stateless = new RegExp(source, flags.replace(/[gy]/g, ''));
  return (value) => {
    if (typeof value === 'string') return stateless.test(value);
    return value instanceof RegExp && value.source === source && value.flags === flags;
  };
}

function operatorsOnly(value: Value): Value {
  if (!isOperators(value)) throw badValue('$not needs operators or a regular expression');
  return value;
}

function allOf(wanted: readonly Value[]): LeavesTest {
  const tests = wanted.map((value) => {
    if (isRecord(value) && '$elemMatch' in value) return elementMatches(value.$elemMatch as Doc);
    return anyOf(equals(value));
  });
  return (leaves) => tests.length > 0 && tests.every((test) => test(leaves));
}

function elementMatches(condition: Doc): LeavesTest {
  const operators = isOperators(condition) && !('$and' in condition || '$or' in condition || '$nor' in condition);
  const test = operators ? conditionTest(condition) : undefined;
  const matches = test ? undefined : predicate(condition);
  const element: ValueTest = (item) => (test ? test([whole(item)]) : isRecord(item) && matches!(item));
  return (leaves) => leaves.map(arrayOf).some((leaf) => Array.isArray(leaf) && leaf.some(element));
}

/** The $type name of a value. */
function typeOf(value: Value): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object') return typeof value === 'boolean' ? 'bool' : typeof value;
  if (value instanceof Date) return 'date';
  if (value instanceof RegExp) return 'regex';
  const { _bsontype: type } = value as { _bsontype?: string };
  if (type === 'ObjectId') return 'objectId';
  return type === 'Binary' ? 'binData' : 'object';
}

function typed(wanted: Value): ValueTest {
  const names = Array.isArray(wanted) ? wanted : [wanted];
  return (value) => names.includes(typeOf(value));
}
