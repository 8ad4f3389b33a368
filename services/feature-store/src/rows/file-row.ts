/** The cells of a file's row, which are texts, as a row that is sent; by a strict grammar, or refused by name. */
import { decimalOf, readTime, type SourceRow, type Value } from '@driftloop/contracts';
import type { FileColumn } from './file-columns.js';
import { unreadable } from './text-encoding.js';

/** Why a row is refused. */
export interface Fault {
  readonly code: string;
  readonly reason: string;
}

/** What stands in a number's cell where there is none. */
const absent = new Set(['NaN', 'nan', 'NULL', 'null']);

/** A row of cells in the order of the columns, or what is wrong with it. */
export function rowOfCells(
  cells: readonly (string | null)[],
  columns: readonly FileColumn[],
): { readonly sent: SourceRow } | Fault {
  const values: Record<string, Value> = Object.create(null);
  const sent: SourceRow = { entityId: '', eventTime: undefined, knownAt: undefined, values };
  for (const [i, { name, role }] of columns.entries()) {
    const text = cells[i];
    if (text === null || text === undefined || text.trim() === '') continue;
    const reason = put(sent, { name, role }, text);
    if (reason) return { code: role === 'event time' || role === 'known-at' ? 'TIME_INVALID' : codes[role], reason };
  }
  return { sent };
}

const codes = { entity: 'TEXT_INVALID', text: 'TEXT_INVALID', number: 'TYPE_WRONG' };

/** Puts a cell into a row; answers what is wrong with it. */
function put(row: SourceRow, { name, role }: FileColumn, text: string): string | undefined {
  if (text.includes(unreadable)) return `"${name}" holds bytes that are no UTF-8; save the file as UTF-8`;
  if (role === 'entity') row.entityId = text;
  else if (role === 'text') row.values[name] = { kind: { $case: 'text', value: text } };
  else if (role === 'number') return putNumber(row, name, text);
  else return putTime(row, { name, role }, text);
  return undefined;
}

function putNumber({ values }: SourceRow, name: string, text: string): string | undefined {
  if (absent.has(text.trim())) return undefined;
  const value = decimalOf(text);
  if (value === undefined)
    return `"${name}" must be a number and is "${text.slice(0, 40)}"; write a decimal, such as -1.5`;
  values[name] = { kind: { $case: 'number', value } };
  return undefined;
}

function putTime(row: SourceRow, { name, role }: FileColumn, text: string): string | undefined {
  if (absent.has(text.trim()) || text.trim() === 'NaT') return undefined;
  const time = readTime(text, { utc: true, epochs: true });
  if ('problem' in time) return `"${name}" is ${time.problem}`;
  row[role === 'known-at' ? 'knownAt' : 'eventTime'] = new Date(time.ms);
  return undefined;
}
