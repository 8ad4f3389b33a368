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
  readonly kind: 'out_of_range';
  readonly reasons: string[];
  /** As it came. */
  readonly sent: SourceRow;
}

/** Rows that can be kept, those that are suspect, and what was wrong with the others: the first hundred, and how many. */
export interface Intake {
  rows: Row[];
  suspect: Suspect[];
  rejected: RejectedRow[];
  rejectedCount: number;
}

const rejectedShown = 100;

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
  const intake: Intake = { rows: [], suspect: [], rejected: [], rejectedCount: 0 };
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
      refuse(intake, { index: i, code: refusal.code, reason: refusal.reason });
    }
  });
  return intake;
}

/** Counts a refused row, and lists it if it is among the first hundred. */
export function refuse(intake: Pick<Intake, 'rejected' | 'rejectedCount'>, row: RejectedRow): void {
  intake.rejectedCount++;
  if (intake.rejected.length < rejectedShown) intake.rejected.push(row);
}

function rowOf(columns: Columns, names: [string, 'number' | 'text'][], row: SourceRow): Row {
  const unreadable = unreadableRow(row);
  if (unreadable) throw new Refusal('ROW_UNREADABLE', unreadable);
  if (!row.entityId) throw new Refusal('ENTITY_MISSING', 'entity_id is empty');
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
  if (!isEventMs(ms)) throw new Refusal('TIME_INVALID', `${name} is not a time between 1900 and 2200`);
  return ms;
}

function cellOf(name: string, kind: 'number' | 'text', value: Value | undefined): Cell {
  const sent = value?.kind;
  if (sent === undefined) return undefined;
  if (kind === 'text') {
    if (sent.$case !== 'text') throw new Refusal('TYPE_WRONG', `"${name}" must be a text, not a ${sent.$case}`);
    checkText(`"${name}"`, sent.value);
    return sent.value === '' ? undefined : sent.value;
  }
  if (sent.$case === 'flag') return sent.value ? 1 : 0;
  if (sent.$case !== 'number') throw new Refusal('TYPE_WRONG', `"${name}" must be a number, not a ${sent.$case}`);
  if (Number.isNaN(sent.value)) return undefined;
  if (!Number.isFinite(sent.value)) throw new Refusal('NUMBER_INFINITE', `"${name}" is infinite`);
  if (!isKept(sent.value)) throw new Refusal('NUMBER_TOO_LARGE', `"${name}" is ${sent.value}; ${numberAdvice}`);
  return sent.value + 0; // -0 is 0: a line of JSON does not tell them apart
}

/** A time as files write it: epoch milliseconds, or ISO 8601 (UTC where it names no offset). Invalid Date otherwise. */
export function timeOfText(text: string): Date {
  const trimmed = text.trim();
  if (/^-?\d+(\.0*)?$/.test(trimmed)) return new Date(Number(trimmed));
  if (!/^\d{4}-\d\d-\d\d/.test(trimmed)) return new Date(Number.NaN);
  const iso = trimmed.replace(' ', 'T');
  return new Date(/(Z|[+-]\d\d(:?\d\d)?)$/.test(iso.slice(10)) || iso.length === 10 ? iso : `${iso}Z`);
}
