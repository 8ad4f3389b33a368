/** Figures, times and pieces of evidence as words of a sentence. Times are UTC. @freeWords */
import type { Decision, Evidence, Passage, QuarantineWindow } from '@driftloop/contracts';

/** Three digits. */
export const figure = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(3))) : String(x));

/** "2013-02-14 21:00" */
export const instant = (time: Date | number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ');

/** "2013-02-14" */
export const date = (time: Date | number): string => new Date(time).toISOString().slice(0, 10);

/** "1 row", "2 rows" */
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** A list as a sentence has it. */
export const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** How much a finding rests on. */
export function basis({ rows, days, windowStart, windowEnd }: Evidence): string {
  const size = [rows ? count(rows, 'row') : '', days ? count(days, 'closed day') : ''].filter((word) => word);
  const from = windowStart && windowEnd ? `, ${date(windowStart)} to ${date(windowEnd)}` : '';
  return size.length ? ` (${size.join(' on ')}${from})` : '';
}

/** A stretch that is held. */
export function stretch({ start, end, source }: QuarantineWindow): string {
  return `${start ? date(start) : '?'} to ${end ? date(end) : '?'}${source ? ` (labels of ${source})` : ''}`;
}

/** A finding in the order in which a person checks it: what, how much, against which threshold, on how much. */
export function finding(found: Evidence): string {
  const { test, subject, statistic, threshold, holds, note } = found;
  const of = subject ? ` of ${subject}` : '';
  const crossed = holds ? 'holds' : 'does not hold';
  return `${test.replaceAll('_', ' ')}${of}: ${figure(statistic)} against ${figure(threshold)}, ${crossed}${basis(found)}${note ? `; ${note}` : ''}.`;
}

/** The first finding of a test. */
export const found = (said: Decision | undefined, ...tests: string[]): Evidence | undefined =>
  said?.evidence.find(({ test }) => tests.includes(test));

/** A passage, where it has anything to say. */
export function passage(title: string, eventTime: Date | number | undefined, sentences: readonly string[]): Passage[] {
  if (!sentences.length) return [];
  return [{ title, eventTime: eventTime === undefined ? undefined : new Date(eventTime), sentences: [...sentences] }];
}

/** A text that begins a sentence and ends it. */
export const sentence = (text: string): string => {
  const trimmed = text.trim();
  return trimmed ? `${trimmed[0].toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}` : '';
};
