/**
 * A stream of records, one a period, as a world: what each world of this folder has in common.
 *
 * I1  A question is asked `lead` before its period begins. Of periods that had not ended by then nothing is known.
 * I2  What was metered in a period is known when the period ends; what is settled, and the outcome, a day after that.
 * I3  The first 12 % of the records are history: told in bulk, never asked about.
 */
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';
import { inOrder, Later } from '../later.js';
import type { Happening } from '../world.js';

const hour = 3_600_000;
/** How late outcomes, and what they could be read off, become known. */
export const delay = 24 * hour;

/** One period of a stream. */
export interface Period {
  id: string;
  /** Its first instant and the first after it, epoch ms. */
  start: number;
  end: number;
  label: 0 | 1;
}

export interface StreamOptions<P extends Period> {
  model: string;
  lead: number;
  /** The source that the request's inputs can be looked up in: known a day ahead. */
  calendar: string;
  inputs(period: P): Record<string, string | number | null>;
  /** The request input that is the period's own time. */
  time: string;
  /** Facts by source, besides the calendar: `metered` are known when the period ends, `settled` a day later. */
  metered: Record<string, (period: P) => Fact['values']>;
  settled: Record<string, (period: P) => Fact['values']>;
}

export const historyShare = 0.12;

/** Everything that happens, in order. */
export function happeningsOf<P extends Period>(periods: readonly P[], options: StreamOptions<P>): Happening[] {
  const { calendar, metered, settled, lead } = options;
  const history = Math.floor(periods.length * historyShare);
  const planned = (p: P) => factOf(p, p.start, p.start - 24 * hour, options.inputs(p));
  const seen = Object.entries(metered).map(([source, of]) => ({ source, late: 0, make: ended(of, 0) }));
  const booked = Object.entries(settled).map(([source, of]) => ({ source, late: delay, make: ended(of, delay) }));
  const all = periods.flatMap((p, i): Happening[] => [
    new Later('fact', p.start - 24 * hour, p, planned, calendar),
    ...[...seen, ...booked].map(({ source, late, make }) => new Later('fact', p.end + late, p, make, source)),
    new Later('outcome', p.end + delay, p, outcomeOf),
    ...(i < history ? [] : [new Later('question', p.start - lead, p, (of: P) => questionOf(of, options))]),
  ]);
  return inOrder(all);
}

export const truthOf = (periods: readonly Period[]): Map<string, number> =>
  new Map(periods.map(({ id, label }) => [id, label]));

function factOf({ id }: Period, eventTime: number, knownAt: number, values: Fact['values']): Fact {
  return { entityId: id, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}

const ended =
  <P extends Period>(values: (period: P) => Fact['values'], late: number) =>
  (period: P): Fact =>
    factOf(period, period.end, period.end + late, values(period));

function outcomeOf({ id, start, end, label }: Period): ReportedOutcome {
  return { entityId: id, entityTime: new Date(start), knownAt: new Date(end + delay), value: label, source: 'books' };
}

function questionOf<P extends Period>(period: P, { model, lead, time, inputs }: StreamOptions<P>): Question {
  const { id, start } = period;
  const request = { ...inputs(period), [time]: new Date(start) } as Question['inputs'];
  return { model, entityId: id, id, eventTime: new Date(start - lead), inputs: request };
}
