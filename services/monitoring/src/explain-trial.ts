/** How a trial went, in sentences: in shadow day by day, then as canary. @freeWords */
import type { Decision, Evidence } from '@driftloop/contracts';
import { isToldOf } from './coverage.js';
import type { DayDocument } from './day-rows.js';
import { count, date, figure, finding, instant, list, sentence } from './explain-words.js';
import type { CycleDocument } from './loop-rows.js';
import { unheld } from './quarantine-parts.js';
import type { ModelView } from './view.js';

/** A judgement, or what a trial lacks as long as there is none. */
export interface Word {
  readonly said?: Decision;
  readonly lacks?: readonly string[];
}

const mostDays = 31;

/** What callers saw, how the two compared each closed day, and what the judge said. */
export function shadowSentences(
  view: ModelView,
  doc: CycleDocument,
  days: readonly DayDocument[],
  words: readonly Word[],
): string[] {
  const { champion, version } = doc;
  const told = dayByDay(view, doc, days);
  return [
    `${version} answered every question beside ${champion}, unseen by callers.`,
    ...told.slice(0, mostDays),
    ...(told.length > mostDays ? [`${told.length - mostDays} more days in the ledger's evidence.`] : []),
    ...words.flatMap((word) => judged(word, 'the judge')),
  ];
}

/** What share it answered, and how the arms compared. */
export function canarySentences(doc: CycleDocument, percent: number, words: readonly Word[]): string[] {
  return [
    `${doc.version} answered ${figure(percent)}% of the callers.`,
    ...words.flatMap((word) => judged(word, 'the check')),
  ];
}

function dayByDay(view: ModelView, { champion, version }: CycleDocument, days: readonly DayDocument[]): string[] {
  let [rows, sum, counted] = [0, 0, 0];
  return days.map((day) => {
    const open = unheld(day);
    const pair = open.pairs.find((one) => one.champion === champion && one.challenger === version);
    const name = date(day.day);
    if (!isToldOf(view, day)) return `${name}: does not count, too few of its labels had come.`;
    if (!pair?.rows) return `${name}: no row that both answered and that has a label.`;
    [rows, sum, counted] = [rows + pair.rows, sum + pair.sum, counted + 1];
    const soFar = counted > 1 ? `; so far ${better(sum, rows)} over ${counted} days` : '';
    return `${name}: ${count(pair.rows, 'row')}, ${version} ${better(pair.sum, pair.rows)} a row${soFar}.`;
  });
}

/** Σδ in nano units: positive is better than the champion. */
function better(sum: number, rows: number): string {
  const mean = sum / rows / 1e9;
  if (mean === 0) return 'as good';
  return `${mean > 0 ? 'better' : 'worse'} by ${figure(Math.abs(mean))}`;
}

function judged({ said, lacks = [] }: Word, who: string): string[] {
  if (!said) return lacks.length ? [sentence(`no word yet: ${lacks.join('; ')}`)] : [];
  const { outcome, reasons, evidence, eventTime } = said;
  const word = outcome === 'roll_back' ? 'withdraw it' : outcome === 'advance' ? 'let it go on' : 'promote it';
  return [sentence(`on ${instant(eventTime!)} ${who} said to ${word}: ${list(reasons)}`), ...evidence.map(weighed)];
}

/** What each test of a trial found, and what would have decided. */
const tests: Record<string, (e: Evidence) => string> = {
  'not worse by the margin': (e) =>
    `That it is not worse by the margin: ${wealth(e)} ${figure(e.threshold)} is enough.`,
  harm: (e) => `That it does harm: ${wealth(e)} ${figure(e.threshold)} stops it.`,
  'gross harm': (e) =>
    `That it does gross harm: E ${figure(e.statistic)} over ${e.days} blocks; ${figure(e.threshold)} stops it.`,
  better: (e) => `That it is better: ${wealth(e)} ${figure(e.threshold)} would say so.`,
  'good enough at the limit': (e) =>
    `At the limit of its time: a mean gain of ${figure(e.statistic)} a day; ${figure(e.threshold)} is enough.`,
};

const wealth = ({ statistic, rows, days }: Evidence): string =>
  `E ${figure(statistic)} over ${count(rows, 'row')} of ${count(days, 'day')};`;

const weighed = (e: Evidence): string => tests[e.test]?.(e) ?? (uncompared(e) || sentence(inOrder(e)));

/** A replay counts no latencies: they are wall time. A ratio of measured ones is never 0. */
const uncompared = ({ test, statistic }: Evidence): string =>
  test === 'latency' && statistic === 0 ? 'Latencies were not compared: an arm has none.' : '';

/** Of the canary's checks, to hold is bad. */
const inOrder = (e: Evidence): string =>
  finding(e).replace(', does not hold', ', in order').replace(', holds', ', out of order');
