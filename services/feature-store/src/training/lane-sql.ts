/** What cells add to a window's running sums, as SQL: `contribute` (views/measure.ts) in the other engine. */
import { digitSql, units } from '../views/measure.js';
import type { Measure, WindowGroup } from '../views/plan.js';
import { cell, rowsTable } from './join-tables.js';

/** Which digits of a window group's measures hold anything: one row, a column for each. */
export function digitsSql({ source, measures }: WindowGroup): string {
  const used = measures.flatMap((measure, m) => {
    const value = valueSql(measure);
    if (!value) return [];
    return units.map((_, d) => `coalesce(bool_or(${digitSql(value, d)} <> 0), false) AS ${digitName(m, d)}`);
  });
  return `SELECT ${used.join(', ') || 'true'} FROM ${rowsTable(source)}`;
}

/** What the row of `digitsSql` says, by measure. */
export function digitsIn({ measures }: WindowGroup, found: Readonly<Record<string, unknown>>): number[][] {
  return measures.map((_, m) => [...units.keys()].filter((digit) => found[digitName(m, digit)] === true));
}

/** The name of a digit's lane. */
export const digitName = (measure: number, digit: number): string => `d${measure}_${digit}`;

/** The lanes of `contribute`, as doubles that hold whole numbers; of the digits only those that hold anything. */
export function lanesSql(measure: Measure, m: number, digits: readonly number[]): { name: string; sql: string }[] {
  const value = valueSql(measure);
  if (!value) return [{ name: `n${m}`, sql: '1.0::DOUBLE' }];
  const present = (sql: string) => `CASE WHEN ${cell(measure.column!)} IS NULL THEN 0.0::DOUBLE ELSE ${sql} END`;
  return [
    { name: `n${m}`, sql: present('1.0::DOUBLE') },
    ...digits.map((digit) => ({ name: digitName(m, digit), sql: present(digitSql(value, digit)) })),
  ];
}

/** What a cell counts for; undefined for a count without a column. */
function valueSql({ column, clip, above }: Measure): string | undefined {
  if (column === undefined) return undefined;
  const c = cell(column);
  if (above !== undefined) return `(CASE WHEN ${c} > ${above} THEN 1 ELSE 0 END)::DOUBLE`;
  return clip ? `greatest(${clip[0]}::DOUBLE, least(${clip[1]}::DOUBLE, ${c}))` : c;
}
