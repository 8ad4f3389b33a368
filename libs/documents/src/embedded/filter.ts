/** Filters: the accepted operators, checked by name. */
import type { Doc, Value } from './codec.js';
import { badValue, unsupported } from './errors.js';

/** Operators on a field that a filter may use. */
export const FIELD_OPERATORS: ReadonlySet<string> = new Set(
  '$eq $ne $gt $gte $lt $lte $in $nin $exists $not $elemMatch $size $all $regex $options $type'.split(' '),
);
/** Operators that join filters. */
export const LOGICAL_OPERATORS: ReadonlySet<string> = new Set(['$and', '$or', '$nor']);

const TYPES = new Set('string number bool date null object array regex objectId binData'.split(' '));

/** Whether a value is a plain object, not a date, id, expression or bytes. */
export function isRecord(value: Value): value is Doc {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Whether a field's condition is made of operators; a mixture of operators and fields is refused. */
export function isOperators(condition: Value): condition is Doc {
  if (!isRecord(condition)) return false;
  const keys = Object.keys(condition);
  const operators = keys.filter((key) => key.startsWith('$')).length;
  if (operators && operators < keys.length) throw badValue(`operators and fields are mixed in ${keys.join(', ')}`);
  return operators > 0;
}

/** Throws UNSUPPORTED by name for every operator that is not listed. */
export function check(filter: Doc): void {
  for (const key of Object.keys(filter)) {
    const condition = filter[key];
    if (LOGICAL_OPERATORS.has(key)) {
      if (!Array.isArray(condition) || !condition.length) throw badValue(`${key} must be a non-empty array`);
      condition.forEach(check);
    } else if (key.startsWith('$')) throw unsupported(`the query operator ${key}`);
    else if (isOperators(condition)) checkOperators(condition);
  }
}

function checkOperators(condition: Doc): void {
  for (const [operator, value] of Object.entries(condition)) {
    if (!FIELD_OPERATORS.has(operator)) throw unsupported(`the query operator ${operator}`);
    if (operator === '$not' && isOperators(value)) checkOperators(value);
    if (operator === '$elemMatch') checkElements(value);
    if (operator === '$type') checkTypes(value);
    if (/^\$(in|nin|all)$/.test(operator) && !Array.isArray(value)) throw badValue(`${operator} needs an array`);
  }
}

function checkElements(value: Value): void {
  if (!isRecord(value)) throw badValue('$elemMatch needs an object');
  const logical = Object.keys(value).some((key) => LOGICAL_OPERATORS.has(key));
  if (!logical && isOperators(value)) checkOperators(value);
  else check(value);
}

function checkTypes(value: Value): void {
  for (const type of Array.isArray(value) ? value : [value]) {
    if (!TYPES.has(type as string)) throw unsupported(`$type ${JSON.stringify(type)}`);
  }
}
