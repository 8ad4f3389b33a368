/**
 * How a filter is answered: a WHERE over key columns, and what is left for the predicate.
 *
 * I1  The WHERE never excludes a document that the filter matches (documents with arrays on a path make its indexes
 *     multikey, and those are not used).
 * I2  `exact`: the WHERE selects precisely what the filter matches, so that no document needs to be read to be counted.
 * I3  A partial index is used only where the filter implies its condition.
 */
import type { SQLInputValue } from 'node:sqlite';
import type { Doc, Value } from './codec.js';
import type { IndexDefinition } from './definition.js';
import { isOperators, isRecord } from './filter.js';
import { isExact, type Key, keyOf, typeRange } from './keys.js';
import type { Table } from './table.js';

/** What a filter says of one path, in terms of its key. */
interface Constraint {
  readonly path: string;
  /** SQL with `?` for the column. */
  readonly sql: string;
  readonly parameters: readonly Key[];
  /** One value at most for each parameter: an index may go on with its next field. */
  readonly equality: boolean;
}

interface Translation {
  readonly constraints: Constraint[];
  exact: boolean;
}

export interface Plan {
  /** FROM and WHERE. */
  readonly from: string;
  readonly parameters: readonly SQLInputValue[];
  readonly exact: boolean;
  /** Whether an index (or _id) narrows the rows. */
  readonly indexed: boolean;
  /** ORDER BY that gives the asked order, or empty when the rows must be sorted afterwards. */
  readonly order: string;
  readonly sorted: boolean;
}

const PARAMETER_LIMIT = 16_384;
const COLUMN = '\u0001';

/** Plans a plain, checked filter with the asked order. */
export function plan(table: Table, filter: Doc, sort: readonly (readonly [string, 1 | -1])[]): Plan {
  const blocked = multikeyPaths(table);
  const usable = (path: string) => table.columnOf(path) !== undefined && !blocked.has(path);
  const { constraints, exact } = translate(filter, usable);
  const index = choose(table, filter, constraints, sort);
  const byId = constraints.some(({ path, equality }) => path === '_id' && equality);
  const conditions = constraints.map(({ path, sql }) => sql.replaceAll(COLUMN, table.columnOf(path)!));
  if (index?.flag && !byId) conditions.push(`${index.flag} = 1`);
  const where = conditions.length ? ` WHERE ${conditions.join(' AND ')}` : '';
  const by = index && !byId ? ` INDEXED BY ${table.indexSql(index)}` : '';
  const sorted = sort.every(([path]) => usable(path));
  return {
    from: `FROM ${table.sql}${by}${where}`,
    parameters: constraints.flatMap(({ parameters }) => parameters),
    exact,
    indexed: index !== undefined || constraints.some(({ path }) => path === '_id'),
    order: sorted && sort.length ? orderBy(table, sort) : '',
    sorted,
  };
}

function orderBy(table: Table, sort: readonly (readonly [string, 1 | -1])[]): string {
  const terms = sort.map(([path, direction]) => `${table.columnOf(path)}${direction === -1 ? ' DESC' : ''}`);
  return ` ORDER BY ${terms.join(', ')}`;
}

function multikeyPaths(table: Table): Set<string> {
  const blocked = new Set<string>();
  for (const index of table.indexes) {
    if (index.multikey) for (const { path } of index.fields) blocked.add(path.text);
  }
  return blocked;
}

/** The constraints of a conjunction on usable paths. */
function translate(filter: Doc, usable: (path: string) => boolean): Translation {
  const translation: Translation = { constraints: [], exact: true };
  for (const [path, condition] of Object.entries(filter)) {
    if (path === '$and') {
      for (const part of condition as Doc[]) merge(translation, translate(part, usable));
    } else if (path.startsWith('$') || !usable(path)) translation.exact = false;
    else field(translation, path, condition);
  }
  return translation;
}

function merge(into: Translation, from: Translation): void {
  into.constraints.push(...from.constraints);
  into.exact &&= from.exact;
}

function field(translation: Translation, path: string, condition: Value): void {
  if (!isOperators(condition)) add(translation, path, '$eq', condition);
  else for (const [operator, value] of Object.entries(condition)) add(translation, path, operator, value);
}

function add(translation: Translation, path: string, operator: string, value: Value): void {
  const constraint = constraintOf(path, operator, value);
  if (constraint) translation.constraints.push(constraint);
  translation.exact &&= constraint !== undefined && isExactly(operator, value);
}

function isExactly(operator: string, value: Value): boolean {
  if (operator === '$in') return (value as Value[]).every(isExact);
  // below a number there may be NaN, which has a key and no order
  if (operator === '$lt' || operator === '$lte') return isExact(value) && typeof value !== 'number';
  return isExact(value);
}

function constraintOf(path: string, operator: string, value: Value): Constraint | undefined {
  if (Array.isArray(value) ? operator !== '$in' : value instanceof RegExp) return undefined;
  switch (operator) {
    case '$eq':
      return { path, sql: `${COLUMN} = ?`, parameters: [keyOf(value)], equality: true };
    case '$in':
      return among(path, value as Value[]);
    case '$gt':
    case '$gte':
      return range(path, operator === '$gt' ? '>' : '>=', value, true);
    case '$lt':
    case '$lte':
      return range(path, operator === '$lt' ? '<' : '<=', value, false);
    default:
      return undefined;
  }
}

function among(path: string, values: readonly Value[]): Constraint | undefined {
  if (values.length > PARAMETER_LIMIT || values.some((value) => Array.isArray(value) || value instanceof RegExp)) {
    return undefined;
  }
  if (!values.length) return { path, sql: `${COLUMN} IN (NULL)`, parameters: [], equality: true };
  // lists are padded to powers of two, so that few statements serve all lengths
  const size = 2 ** Math.ceil(Math.log2(values.length));
  const keys = values.map(keyOf);
  const parameters = [...keys, ...Array<Key>(size - keys.length).fill(keys[0])];
  return { path, sql: `${COLUMN} IN (${parameters.map(() => '?').join(', ')})`, parameters, equality: true };
}

/** A comparison, closed on its open side by the range of the value's type. */
function range(path: string, comparison: string, value: Value, lower: boolean): Constraint | undefined {
  if (value === null || isRecord(value)) return undefined;
  const [from, to] = typeRange(value);
  const sql = lower ? `${COLUMN} ${comparison} ? AND ${COLUMN} < ?` : `${COLUMN} >= ? AND ${COLUMN} ${comparison} ?`;
  return { path, sql, parameters: lower ? [keyOf(value), to] : [from, keyOf(value)], equality: false };
}

/** The index with the longest run of equalities, then a range, then the asked order. */
function choose(
  table: Table,
  filter: Doc,
  constraints: readonly Constraint[],
  sort: readonly (readonly [string, 1 | -1])[],
): IndexDefinition | undefined {
  let best: IndexDefinition | undefined;
  let bestScore = 0;
  for (const index of table.indexes) {
    if (index.multikey || !implied(index, filter)) continue;
    const score = scoreOf(index, constraints, sort);
    if (score > bestScore) [best, bestScore] = [index, score];
  }
  return best;
}

function scoreOf(
  index: IndexDefinition,
  constraints: readonly Constraint[],
  sort: readonly (readonly [string, 1 | -1])[],
): number {
  let equalities = 0;
  const has = (path: string, equality: boolean) => constraints.some((c) => c.path === path && c.equality === equality);
  while (equalities < index.fields.length && has(index.fields[equalities].path.text, true)) equalities++;
  const rest = index.fields.slice(equalities);
  const ranged = rest.length > 0 && has(rest[0].path.text, false);
  const ordered = sort.length > 0 && sort.every(([path], i) => rest[i]?.path.text === path) && sameWay(rest, sort);
  if (!equalities && !ranged && !index.partial) return 0;
  return 4 * equalities + (ranged ? 2 : 0) + (ordered ? 1 : 0) + (index.partial ? 0.5 : 0);
}

function sameWay(fields: IndexDefinition['fields'], sort: readonly (readonly [string, 1 | -1])[]): boolean {
  const turned = sort.map(([, direction], i) => direction * fields[i].direction);
  return turned.every((turn) => turn === turned[0]);
}

/** Whether every document that the filter matches is in a partial or sparse index. */
function implied(index: IndexDefinition, filter: Doc): boolean {
  if (index.sparse && !index.fields.some(({ path }) => impliesExistence(filter[path.text]))) return false;
  if (!index.partial) return true;
  return Object.entries(index.partial).every(([path, condition]) => impliesCondition(filter[path], condition));
}

function impliesExistence(condition: Value): boolean {
  if (condition === undefined || condition === null) return false;
  if (!isOperators(condition)) return true;
  const { $exists, $eq, $gt, $gte, $lt, $lte } = condition;
  return $exists === true || [$eq, $gt, $gte, $lt, $lte].some((value) => value !== undefined && value !== null);
}

function impliesCondition(asked: Value, needed: Value): boolean {
  if (asked === undefined) return false;
  if (!isOperators(needed)) return isOperators(asked) ? same(asked.$eq, needed) : same(asked, needed);
  return Object.entries(needed).every(([operator, value]) => {
    if (operator === '$exists') return value === true && impliesExistence(asked);
    if (operator === '$eq') return same(isOperators(asked) ? asked.$eq : asked, value);
    return isOperators(asked) ? same(asked[operator], value) : satisfies(asked, operator, value);
  });
}

function same(a: Value, b: Value): boolean {
  return a !== undefined && b !== undefined && compareKeys(keyOf(a), keyOf(b)) === 0;
}

function satisfies(value: Value, operator: string, bound: Value): boolean {
  if (typeof value !== typeof bound || value === null || bound === null) return false;
  const order = compareKeys(keyOf(value), keyOf(bound));
  if (operator === '$gt') return order > 0;
  if (operator === '$gte') return order >= 0;
  if (operator === '$lt') return order < 0;
  return operator === '$lte' && order <= 0;
}

function compareKeys(a: Key, b: Key): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (typeof a !== typeof b) return Number.NaN;
  return a < b ? -1 : a > b ? 1 : 0;
}
