/** Whether every document that a filter matches is in a partial or sparse index. */
import type { Doc, Value } from './codec.js';
import type { IndexDefinition } from './definition.js';
import { isOperators } from './filter.js';
import { compareValues } from './order.js';

/** True only where the filter surely implies the index's condition; only its plain fields are looked at. */
export function implied(index: IndexDefinition, filter: Doc): boolean {
  if (!index.sparse && !index.partial) return true;
  const asked = conjuncts(filter);
  if (index.sparse && !index.fields.some(({ path }) => asked(path.text).some(impliesExistence))) return false;
  return Object.entries(index.partial ?? {}).every(([path, needed]) => {
    return operatorsOf(needed).every(([operator, value]) => asked(path).some((one) => implies(one, operator, value)));
  });
}

/** The conditions of a filter and of its $and's on a path. */
function conjuncts(filter: Doc): (path: string) => Value[] {
  const parts = [filter, ...((filter.$and as Doc[] | undefined) ?? [])];
  return (path) => parts.filter((part) => path in part).map((part) => part[path]);
}

function operatorsOf(condition: Value): [string, Value][] {
  return isOperators(condition) ? Object.entries(condition) : [['$eq', condition]];
}

const BOUNDS = new Set(['$eq', '$gt', '$gte', '$lt', '$lte']);

function impliesExistence(condition: Value): boolean {
  if (condition instanceof RegExp) return true;
  return operatorsOf(condition).some(([operator, value]) => {
    if (operator === '$exists') return value === true;
    if (operator === '$in') return !(value as Value[]).includes(null);
    return BOUNDS.has(operator) && value !== null && value !== undefined;
  });
}

function implies(condition: Value, operator: string, value: Value): boolean {
  if (operator === '$exists') return value === true && impliesExistence(condition);
  return operatorsOf(condition).some(([asked, bound]) => {
    if (asked === '$eq') return satisfies(bound, operator, value);
    if (asked === operator && same(bound, value)) return true;
    return isTighter(asked, bound, operator, value);
  });
}

const same = (a: Value, b: Value): boolean => compareValues(a, b) === 0 && sameType(a, b);

const sameType = (a: Value, b: Value): boolean =>
  a !== null && b !== null && typeof a === typeof b && Object.getPrototypeOf(a) === Object.getPrototypeOf(b);

function satisfies(value: Value, operator: string, bound: Value): boolean {
  if (!sameType(value, bound)) return false;
  const order = compareValues(value, bound);
  if (operator === '$eq') return order === 0;
  if (operator === '$gt') return order > 0;
  if (operator === '$gte') return order >= 0;
  if (operator === '$lt') return order < 0;
  return operator === '$lte' && order <= 0;
}

/** `> 5` implies `> 3` and `>= 5`; `< 3` implies `< 5` and `<= 3`. */
function isTighter(asked: string, bound: Value, operator: string, value: Value): boolean {
  const direction = operator.slice(0, 3);
  if (asked.slice(0, 3) !== direction || (direction !== '$gt' && direction !== '$lt') || !sameType(bound, value))
    return false;
  const order = compareValues(bound, value) * (direction === '$gt' ? 1 : -1);
  return order > 0 || (order === 0 && (asked === direction || operator !== direction));
}
