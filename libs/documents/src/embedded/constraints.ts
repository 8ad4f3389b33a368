/** A filter's conditions as SQL on key columns. */
import type { Doc, Value } from './codec.js';
import { isOperators, isRecord } from './filter.js';
import { isExact, type Key, keyOf, typeRange } from './keys.js';
import type { Table } from './table.js';

/** What a filter says of one path, in terms of its key; or of several, branch by branch. */
export interface Constraint {
  readonly path: string;
  readonly sql: string;
  readonly parameters: readonly Key[];
  /** One key a parameter: an index may go on with its next field. */
  readonly equality: boolean;
  /** The path has arrays: its side table is asked too. */
  readonly several?: true;
  /** An $or: each branch with its own constraints. */
  readonly branches?: readonly Branch[];
}

interface Branch extends Translation {
  readonly filter: Doc;
}

export interface Translation {
  readonly constraints: readonly Constraint[];
  /** Whether the constraints say all that the filter says. */
  readonly exact: boolean;
}

const PARAMETER_LIMIT = 16_384;
/** Lists longer than this go as one JSON parameter, where JSON can carry their keys. */
const JSON_FROM = 64;

/** The constraints of a filter on indexed paths. */
export function translate(table: Table, filter: Doc): Translation {
  const parts = Object.entries(filter).flatMap(([path, condition]) => translateField(table, path, condition));
  return {
    constraints: parts.flatMap(({ constraints }) => constraints),
    exact: parts.every(({ exact }) => exact),
  };
}

const UNTRANSLATED: Translation = { constraints: [], exact: false };

function translateField(table: Table, path: string, condition: Value): Translation[] {
  if (path === '$and') return (condition as Doc[]).map((part) => translate(table, part));
  if (path === '$or') return [either(table, condition as Doc[])];
  if (path.startsWith('$') || table.columnOf(path) === undefined) return [UNTRANSLATED];
  if (!isOperators(condition)) return [translateOne(table, path, '$eq', condition)];
  return Object.entries(condition).map(([operator, value]) => translateOne(table, path, operator, value));
}

function either(table: Table, filters: readonly Doc[]): Translation {
  const branches = filters.map((filter) => ({ filter, ...translate(table, filter) }));
  if (branches.some(({ constraints }) => !constraints.length)) return UNTRANSLATED;
  const sql = branches.map(({ constraints }) => constraints.map((constraint) => constraint.sql).join(' AND '));
  const parameters = branches.flatMap(({ constraints }) => constraints.flatMap((constraint) => constraint.parameters));
  if (parameters.length > PARAMETER_LIMIT) return UNTRANSLATED;
  const constraint = { path: '$or', sql: `(${sql.join(' OR ')})`, parameters, equality: false, branches };
  return { constraints: [constraint], exact: branches.every(({ exact }) => exact) };
}

function translateOne(table: Table, path: string, operator: string, value: Value): Translation {
  const condition = conditionOf(operator, value);
  if (!condition) return UNTRANSLATED;
  const column = table.columnOf(path)!;
  const { sql, parameters, equality } = condition;
  const single = sql(column);
  if (!table.isMultikey(path)) {
    return { constraints: [{ path, sql: single, parameters, equality }], exact: isExactly(operator, value) };
  }
  const either = `(${single} OR rid IN (SELECT rid FROM ${table.sideSql(path)} WHERE ${sql('v')}))`;
  const twice = [...parameters, ...parameters];
  return { constraints: [{ path, sql: either, parameters: twice, equality, several: true }], exact: false };
}

function isExactly(operator: string, value: Value): boolean {
  return operator === '$in' ? (value as Value[]).every(isExact) : isExact(value);
}

interface Condition {
  readonly sql: (column: string) => string;
  readonly parameters: readonly Key[];
  readonly equality: boolean;
}

function conditionOf(operator: string, value: Value): Condition | undefined {
  if (operator === '$in') return among(value as Value[]);
  if (isArrayOrPattern(value)) return undefined;
  switch (operator) {
    case '$eq':
      return { sql: (column) => `${column} = ?`, parameters: [keyOf(value)], equality: true };
    case '$gt':
      return range('>', value, true);
    case '$gte':
      return range('>=', value, true);
    case '$lt':
      return range('<', value, false);
    case '$lte':
      return range('<=', value, false);
    default:
      return undefined;
  }
}

const isArrayOrPattern = (value: Value): boolean => Array.isArray(value) || value instanceof RegExp;

const isJsonKey = (value: Value): boolean =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));

function among(values: readonly Value[]): Condition | undefined {
  if (values.some(isArrayOrPattern)) return undefined;
  if (values.length > JSON_FROM && values.every(isJsonKey)) {
    const parameters = [JSON.stringify(values)];
    return { sql: (column) => `${column} IN (SELECT value FROM json_each(?))`, parameters, equality: true };
  }
  if (values.length > PARAMETER_LIMIT) return undefined;
  if (!values.length) return { sql: (column) => `${column} IN (NULL)`, parameters: [], equality: true };
  // lists are padded to powers of two, so that few statements serve all lengths
  const size = 2 ** Math.ceil(Math.log2(values.length));
  const keys = values.map(keyOf);
  const parameters = [...keys, ...Array<Key>(size - keys.length).fill(keys[0])];
  const marks = parameters.map(() => '?').join(', ');
  return { sql: (column) => `${column} IN (${marks})`, parameters, equality: true };
}

/** A comparison, closed on its open side by the range of the value's type. */
function range(comparison: string, value: Value, lower: boolean): Condition | undefined {
  if (value === null || isRecord(value)) return undefined;
  const [from, to] = typeRange(value);
  const parameters = lower ? [keyOf(value), to] : [from, keyOf(value)];
  const sql = lower
    ? (column: string) => `${column} ${comparison} ? AND ${column} < ?`
    : (column: string) => `${column} >= ? AND ${column} ${comparison} ?`;
  return { sql, parameters, equality: false };
}
