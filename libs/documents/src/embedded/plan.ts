/**
 * How a filter is answered: a WHERE over key columns, and what is left for the predicate.
 *
 * I1  The WHERE never excludes a document that the filter matches. On a path with arrays it asks the side table too.
 * I2  `exact`: the WHERE selects precisely what the filter matches, so that no document needs to be read to be counted.
 * I3  A partial index is used only where the filter implies its condition.
 * I4  The index is chosen here and forced by INDEXED BY: a plan that could not use it would fail loudly.
 */
import type { SQLInputValue } from 'node:sqlite';
import type { Doc } from './codec.js';
import { type Constraint, translate } from './constraints.js';
import type { IndexDefinition } from './definition.js';
import { implied } from './implication.js';
import type { Sort } from './order.js';
import type { Table } from './table.js';

export interface Plan {
  /** FROM and WHERE. */
  readonly from: string;
  readonly parameters: readonly SQLInputValue[];
  readonly exact: boolean;
  /** Whether an index (or _id) narrows the rows. */
  readonly indexed: boolean;
  /** ORDER BY that gives the asked order; empty when the rows must be sorted afterwards. */
  readonly order: string;
  readonly sorted: boolean;
}

/** Plans a plain, checked filter with the asked order. */
export function plan(table: Table, filter: Doc, sort: Sort): Plan {
  const { constraints, exact } = translate(table, filter);
  const byId = constraints.some(({ path, equality }) => path === '_id' && equality);
  const index = byId ? undefined : choose(table, filter, constraints, sort);
  const conditions = constraints.map(({ sql }) => sql);
  if (index?.flag) conditions.push(`${index.flag} = 1`);
  const where = conditions.length ? ` WHERE ${conditions.join(' AND ')}` : '';
  const sorted = sort.every(([path]) => table.isOrdered(path));
  return {
    from: `FROM ${table.sql}${index ? ` INDEXED BY ${table.indexSql(index)}` : ''}${where}`,
    parameters: constraints.flatMap(({ parameters }) => parameters),
    exact,
    indexed: index !== undefined || constraints.some((constraint) => isServed(table, filter, constraint)),
    order: sorted && sort.length ? orderBy(table, sort) : '',
    sorted,
  };
}

function orderBy(table: Table, sort: Sort): string {
  const terms = sort.map(([path, direction]) => `${table.columnOf(path)}${direction === -1 ? ' DESC' : ''}`);
  return ` ORDER BY ${terms.join(', ')}`;
}

/** Whether SQLite finds a constraint's rows by itself: on _id, on a side table, or branch by branch. */
function isServed(table: Table, filter: Doc, { path, branches, several }: Constraint): boolean {
  if (path === '_id') return true;
  if (several) return leads(table, filter, path);
  return (
    branches?.every(({ filter: part, constraints }) => {
      return constraints.some(
        (inner) => isServed(table, part, inner) || (!inner.branches && leads(table, part, inner.path)),
      );
    }) ?? false
  );
}

function leads(table: Table, filter: Doc, path: string): boolean {
  return table.indexes.some((index) => index.fields[0].path.text === path && !index.flag && implied(index, filter));
}

/** The index with the longest run of equalities, then a range, then the asked order. */
function choose(
  table: Table,
  filter: Doc,
  constraints: readonly Constraint[],
  sort: Sort,
): IndexDefinition | undefined {
  const single = constraints.filter(({ several, branches }) => !several && !branches);
  let best: IndexDefinition | undefined;
  let bestScore = 0;
  for (const index of table.indexes) {
    const score = scoreOf(index, single, sort);
    if (score > bestScore && implied(index, filter)) [best, bestScore] = [index, score];
  }
  return best;
}

function scoreOf(index: IndexDefinition, constraints: readonly Constraint[], sort: Sort): number {
  let equalities = 0;
  const has = (path: string, equality: boolean) => constraints.some((c) => c.path === path && c.equality === equality);
  while (equalities < index.fields.length && has(index.fields[equalities].path.text, true)) equalities++;
  const rest = index.fields.slice(equalities);
  const ranged = rest.length > 0 && has(rest[0].path.text, false);
  if (!equalities && !ranged && !index.partial) return 0;
  const ordered = sort.length > 0 && sort.every(([path], i) => rest[i]?.path.text === path) && sameWay(rest, sort);
  return 4 * equalities + (ranged ? 2 : 0) + (ordered ? 1 : 0) + (index.partial ? 0.5 : 0);
}

function sameWay(fields: IndexDefinition['fields'], sort: Sort): boolean {
  const turned = sort.map(([, direction], i) => direction * fields[i].direction);
  return turned.every((turn) => turn === turned[0]);
}
