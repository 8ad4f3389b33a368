/**
 * Times as texts, by one strict grammar for every place that takes them: inference, events, files, the gateway, the command
 * line. `Date.parse` makes the 2nd of March of a 30th of February, takes local times, "2013" and much else.
 *
 * I1  A text is one time or none: what could be two (digits without a unit, a clock that was put forward) is refused with
 *     words that say what to write.
 */
import { isEventMs } from './event-times.js';

/** What a text may be beside a date, a time and an offset. */
export interface TimeGrammar {
  /** Whether a date alone, and a time without an offset, are taken (as UTC). */
  readonly utc?: boolean;
  /** Whether digits are taken as an epoch, in whatever unit makes a plausible time of them. */
  readonly epochs?: boolean;
}

/** Epoch ms, or what is wrong with the text: it goes on from "… is". */
export type ReadTime = { readonly ms: number } | { readonly problem: string };

const written =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)? {0,1}(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?$/;
const digits = /^(\d{1,20})(?:\.(\d{1,9}))?$/;
/** Where a unit's plausible epochs begin (1973-03-03), and how many of it are a millisecond. */
const units = [
  { from: 100_000_000n, perSecond: 1n },
  { from: 100_000_000_000n, perSecond: 1_000n },
  { from: 100_000_000_000_000n, perSecond: 1_000_000n },
  { from: 100_000_000_000_000_000n, perSecond: 1_000_000_000n },
] as const;
/** Where they end (2100-01-01), seconds: what is later is more likely to be of another unit. */
const lastSecond = 4_102_444_800n;

const advice = 'write it as 2013-03-08T10:00:00Z';

/** Reads a time between 1900 and 2200. */
export function readTime(text: string, grammar: TimeGrammar = {}): ReadTime {
  const shown = `"${text.slice(0, 40)}"`;
  const trimmed = text.trim();
  if (digits.test(trimmed)) return grammar.epochs ? epochOf(trimmed) : { problem: `${shown}, bare digits; ${advice}` };
  const match = written.exec(trimmed);
  if (!match) return { problem: `${shown}, which is no time; ${advice}` };
  const [, year, month, day, hour, minute, second, , offset] = match;
  if (!grammar.utc && (hour === undefined || offset === undefined))
    return { problem: `${shown}, without a time of day or an offset; ${advice}` };
  if (Number(year) < 1900) return { problem: `${shown}, not between 1900 and 2200` };
  if (Number(month) < 1 || Number(month) > 12 || !isDay(Number(year), Number(month), Number(day)))
    return { problem: `${shown}, a day that no calendar has` };
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second ?? 0) > 59)
    return { problem: `${shown}, a time of day that no clock shows` };
  const ms = instantOf(match) - offsetMs(offset ?? 'Z');
  if (Number.isNaN(ms)) return { problem: `${shown}, with an offset that no place has` };
  return isEventMs(ms) ? { ms } : { problem: `${shown}, not between 1900 and 2200` };
}

/** The time that a text is, or NaN as its ms: for those who say themselves what they take. */
export function msOfTime(text: string, grammar: TimeGrammar = {}): number {
  const read = readTime(text, grammar);
  return 'ms' in read ? read.ms : Number.NaN;
}

function instantOf([, year, month, day, hour, minute, second, part]: RegExpExecArray): number {
  const ms = part === undefined ? 0 : Math.floor(Number(`0.${part}`) * 1000 + 1e-6);
  const [h, m, s] = [hour, minute, second].map((text) => Number(text ?? 0));
  return Date.UTC(Number(year), Number(month) - 1, Number(day), h, m, s, ms);
}

/** NaN where it is beyond a day. */
function offsetMs(offset: string): number {
  if (/^(z|utc)$/i.test(offset)) return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (offset[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function isDay(year: number, month: number, day: number): boolean {
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** I1: the units lie a thousandfold apart, and plausible seconds fortyfold. */
function epochOf(text: string): ReadTime {
  const [whole, part = ''] = text.split('.');
  const value = BigInt(whole);
  const unit = units.find(({ from, perSecond }) => value >= from && value < lastSecond * perSecond);
  if (!unit) return { problem: `"${text}", no plausible epoch in s, ms, µs or ns; ${advice}` };
  if (unit.perSecond > 1n) return { ms: Number((value * 1000n) / unit.perSecond) };
  return { ms: Number(value) * 1000 + Math.floor(Number(`0.${part || '0'}`) * 1000 + 1e-6) };
}
