/** Scalars of proto3 JSON for the generated readers, which would take an impossible date for a later one and "0x10" for 16. */
import { decimalOf } from './decimals.js';

/** A number, or a decimal as a text. Throws an Error that names the field where a text is something else. */
export function numberOfJson(value: unknown, field: string): number {
  if (typeof value === 'number') return value;
  const read = typeof value === 'string' && value !== 'NaN' ? decimalOf(value) : Number.NaN;
  if (read === undefined) throw new Error(`${field} is ${JSON.stringify(value)}, which is no decimal number`);
  return read;
}

/** A time; an invalid one where its day is in no calendar, which `Date` would take for one of the next month. */
export function timeOfJson(text: string): Date {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text)?.map(Number) ?? [];
  if (day !== undefined && day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return new Date(Number.NaN);
  return new Date(text);
}
