/** Rows as they are sent, made into rows as they are kept; what is wrong with a row is said, not guessed. */
import {
  isEventMs,
  isKept,
  numberAdvice,
  own,
  type RejectedRow,
  type SourceRow,
  textLimits,
  unreadableRow,
  type Value,
} from '@driftloop/contracts';
import type { Cell, Row } from '../views/source-rows.js';
import type { Columns } from './lines.js';

/** What a number of a column may be: [least, most]. */
export type Ranges = Readonly<Record<string, readonly [number, number]>>;

/** A row that could be kept and says what cannot be. */
export interface Suspect {
  readonly row: Row;
  readonly kind: 'out_of_range' | 'contradictory';
  readonly reasons: string[];
  /** As it came. */
  readonly sent: SourceRow;
}

/** Rows that can be kept, those that are suspect, and what was wrong with the others. */
export interface Intake {
  rows: Row[];
  suspect: Suspect[];
  rejected: RejectedRow[];
}

/** A reason why a row is refused. */
class Refusal {
  constructor(
    readonly code: string,
    readonly reason: string,
  ) {}
}

/** Checks the rows of a message against the source's columns and ranges, and against what can be known by now (ahead.ts). */
export function takeIn(
  columns: Columns,
  sent: readonly SourceRow[],
  ranges: Ranges = {},
  latestKnownAt = Number.POSITIVE_INFINITY,
): Intake {
  const intake: Intake = { rows: [], suspect: [], rejected: [] };
  const names = Object.entries(columns);
  sent.forEach((row, i) => {
    try {
      const kept = rowOf(columns, names, row);
      if (kept.knownAt > latestKnownAt) throw knownAhead(kept.knownAt, latestKnownAt);
      const reasons = outOfRange(names, kept, ranges);
      if (reasons.length) intake.suspect.push({ row: kept, kind: 'out_of_range', reasons, sent: row });
      else intake.rows.push(kept);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      intake.rejected.push({ index: i, code: refusal.code, reason: refusal.reason });
    }
  });
  return intake;
}

/** A row that says otherwise than one of the same name that is there. */
export function contradictory(columns: Columns, row: Row): Suspect {
  const { entityId, eventTime, knownAt, cells } = row;
  const values: Record<string, Value> = Object.create(null);
  for (const [i, name] of Object.keys(columns).entries()) {
    const value = cells[i];
    if (typeof value === 'number') values[name] = { kind: { $case: 'number', value } };
    if (typeof value === 'string') values[name] = { kind: { $case: 'text', value } };
  }
  const sent = { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
  const reasons = ['another row of the same entity, event time and known-at is there, with other values'];
  return { row, kind: 'contradictory', reasons, sent };
}

function rowOf(columns: Columns, names: [string, 'number' | 'text'][], row: SourceRow): Row {
  const unreadable = unreadableRow(row);
  if (unreadable) throw new Refusal('ROW_UNREADABLE', unreadable);
  if (!row.entityId.trim()) throw new Refusal('ENTITY_MISSING', 'entity_id is empty');
  checkText('entity_id', row.entityId, textLimits.name);
  const eventTime = timeOf('event_time', row.eventTime);
  const knownAt = timeOf('known_at', row.knownAt);
  const unknown = Object.keys(row.values).find((name) => !Object.hasOwn(columns, name));
  if (unknown !== undefined) {
    throw new Refusal(
      'COLUMN_UNKNOWN',
      `no column "${unknown.slice(0, 100)}"; declared: ${Object.keys(columns).join(', ')}`,
    );
  }
  const cells = names.map(([name, kind]) => cellOf(name, kind, own(row.values, name)));
  return { entityId: row.entityId, eventTime, knownAt, cells };
}

function knownAhead(knownAt: number, latest: number): Refusal {
  const [known, last] = [knownAt, latest].map((ms) => new Date(ms).toISOString());
  return new Refusal('KNOWN_AHEAD', `known_at is ${known}, and nothing can be known yet after ${last}`);
}

function outOfRange(names: [string, unknown][], { cells }: Row, ranges: Ranges): string[] {
  return names.flatMap(([name], i) => {
    const cell = cells[i];
    const range = own(ranges, name);
    if (!range || typeof cell !== 'number') return [];
    const [least, most] = range;
    return cell < least || cell > most ? [`"${name}" is ${cell}, outside [${least}, ${most}]`] : [];
  });
}

function checkText(name: string, text: string, longest: number = textLimits.text): void {
  if (text.length > longest) throw new Refusal('TEXT_TOO_LONG', `${name} is longer than ${longest}`);
  if (text.includes('\0') || !text.isWellFormed()) throw new Refusal('TEXT_INVALID', `${name} is no well-formed text`);
}

function timeOf(name: string, time: Date | undefined): number {
  if (time === undefined) throw new Refusal('TIME_MISSING', `${name} is missing`);
  const ms = time.getTime();
  if (Number.isNaN(ms)) throw new Refusal('TIME_INVALID', `${name} is no time, or of a day that no calendar has`);
  if (!isEventMs(ms)) throw new Refusal('TIME_INVALID', `${name} is not a time between 1900 and 2200`);
  return ms;
}

function cellOf(name: string, kind: 'number' | 'text', value: Value | undefined): Cell {
  const sent = value?.kind;
  if (sent === undefined) return undefined;
  if (kind === 'text') {
    if (sent.$case === 'flag') return String(sent.value);
    if (sent.$case !== 'text') throw new Refusal('TYPE_WRONG', `"${name}" must be a text, not a ${sent.$case}`);
    checkText(`"${name}"`, sent.value);
    return sent.value.trim() === '' ? undefined : sent.value;
  }
  if (sent.$case === 'flag') return sent.value ? 1 : 0;
  if (sent.$case !== 'number') throw new Refusal('TYPE_WRONG', `"${name}" must be a number, not a ${sent.$case}`);
  if (Number.isNaN(sent.value)) return undefined;
  if (!Number.isFinite(sent.value)) throw new Refusal('NUMBER_INFINITE', `"${name}" is infinite`);
  if (!isKept(sent.value)) throw new Refusal('NUMBER_TOO_LARGE', `"${name}" is ${sent.value}; ${numberAdvice}`);
  return sent.value + 0; // -0 is 0: a line of JSON does not tell them apart
}
