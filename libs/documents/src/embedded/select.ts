/** Reading: the rows of a filter, in order, skipped and limited, with as few bodies parsed as can be. */
import { type Doc, decode, plain } from './codec.js';
import { type ScanGuard } from './database.js';
import { UnindexedScan } from './errors.js';
import { check } from './filter.js';
import { matcher } from './matching.js';
import { type Sort, sortDocs, sortOf } from './order.js';
import { type Plan, plan } from './plan.js';
import type { Table } from './table.js';

/** One document with its row and its text as stored. */
export interface Found {
  readonly rid: number;
  readonly text: string;
  readonly doc: Doc;
}

export interface SelectOptions {
  readonly sort?: unknown;
  readonly skip?: number;
  readonly limit?: number;
}

/** A filter made ready: plain, checked, planned. */
export interface Query {
  readonly filter: Doc;
  readonly plan: Plan;
  readonly sort: Sort;
  readonly matches: (doc: Doc) => boolean;
}

const everything = (): boolean => true;
const warned = new Set<string>();

/** Plans a filter. Throws UNSUPPORTED by name, and UnindexedScan where the guard says so. */
export function query(table: Table, raw: unknown, guard: ScanGuard, sort: unknown = undefined): Query {
  const filter = plain(raw ?? {}) as Doc;
  check(filter);
  const order = sortOf(sort);
  const planned = plan(table, filter, order);
  if (guard.onScan !== 'allow' && !planned.indexed) inspect(table, filter, order, planned, guard);
  return { filter, plan: planned, sort: order, matches: planned.exact ? everything : matcher(filter) };
}

function inspect(table: Table, filter: Doc, sort: Sort, planned: Plan, guard: ScanGuard): void {
  if (!Object.keys(filter).length && (!sort.length || (planned.sorted && hasOrder(table, sort)))) return;
  if (!table.isLargerThan(guard.limit)) return;
  const shape = JSON.stringify(Object.keys(filter)) + (sort.length ? ` sorted by ${JSON.stringify(sort)}` : '');
  const scan = new UnindexedScan(table.name, shape, guard.limit);
  if (guard.onScan === 'throw') throw scan;
  if (warned.has(scan.message)) return;
  warned.add(scan.message);
  process.emitWarning(scan.message, 'UnindexedScan');
}

function hasOrder(table: Table, sort: Sort): boolean {
  if (sort[0][0] === '_id') return true;
  return table.indexes.some(({ fields, flag }) => !flag && sort.every(([path], i) => fields[i]?.path.text === path));
}

/** The documents of a query, in order. */
export function select(table: Table, ready: Query, options: SelectOptions = {}): Found[] {
  if (!table.isCreated) return [];
  const { skip = 0, limit = 0 } = options;
  const { plan: planned } = ready;
  if (planned.exact && planned.sorted) return direct(table, planned, skip, limit);
  const wanted = limit ? skip + Math.abs(limit) : Number.POSITIVE_INFINITY;
  const found = filtered(table, ready, planned.sorted ? wanted : Number.POSITIVE_INFINITY);
  if (!planned.sorted) sortDocs(found, ({ doc }) => doc, ready.sort);
  return skip || Number.isFinite(wanted) ? found.slice(skip, wanted) : found;
}

/** SQL gives precisely what is asked. */
function direct(table: Table, planned: Plan, skip: number, limit: number): Found[] {
  const paged = skip || limit;
  const sql = `SELECT rid, body ${planned.from}${planned.order}${paged ? ' LIMIT ? OFFSET ?' : ''}`;
  const page = paged ? [limit ? Math.abs(limit) : -1, skip] : [];
  const rows = table.rows(sql, [...planned.parameters, ...page]);
  return rows.map(([rid, text]) => ({ rid: rid as number, text: text as string, doc: decode(text as string) }));
}

/** SQL gives candidates: they are read one by one until enough match. */
function filtered(table: Table, { plan: planned, matches }: Query, wanted: number): Found[] {
  const found: Found[] = [];
  const sql = `SELECT rid, body ${planned.from}${planned.order}`;
  for (const [rid, text] of table.iterate(sql, planned.parameters)) {
    const doc = decode(text as string);
    if (!matches(doc)) continue;
    found.push({ rid: rid as number, text: text as string, doc });
    if (found.length >= wanted) break;
  }
  return found;
}

const CHUNK = 128;

/** The documents of a query one by one: only the rows' numbers are held, the bodies come in chunks. */
export function* stream(table: Table, ready: Query, show: (doc: Doc) => Doc, options: SelectOptions): Generator<Doc> {
  if (!table.isCreated) return;
  const { plan: planned, matches } = ready;
  if (!planned.sorted) {
    for (const { doc } of select(table, ready, options)) yield show(doc);
    return;
  }
  let skip = options.skip ?? 0;
  let left = Math.abs(options.limit ?? 0) || Number.POSITIVE_INFINITY;
  const rids = table
    .rows(`SELECT rid ${planned.from}${planned.order}`, planned.parameters)
    .map(([rid]) => rid as number);
  for (let at = 0; at < rids.length && left > 0; at += CHUNK) {
    for (const doc of table.bodies(rids.slice(at, at + CHUNK))) {
      if (!matches(doc) || skip-- > 0) continue;
      yield show(doc);
      if (--left === 0) return;
    }
  }
}

/** How many documents match. */
export function count(table: Table, ready: Query, { skip = 0, limit = 0 }: SelectOptions = {}): number {
  if (!table.isCreated) return 0;
  const all = ready.plan.exact ? countRows(table, ready.plan) : filtered(table, ready, Number.POSITIVE_INFINITY).length;
  const left = Math.max(0, all - skip);
  return limit ? Math.min(left, limit) : left;
}

function countRows(table: Table, planned: Plan): number {
  return table.rows(`SELECT count(*) ${planned.from}`, planned.parameters)[0][0] as number;
}
