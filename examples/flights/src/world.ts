/**
 * The outside world of 2013 as facts and questions, each at the moment at which it became known or was asked.
 *
 * I1  A question is asked 60 minutes before the scheduled departure, so that nothing of the flight itself can be known.
 * I2  A departure is known when it happens, an outcome when it was available, the weather 52 minutes after its hour, the
 *     schedule a day ahead. Cancelled flights never depart and never get an outcome.
 */
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';
import { type Departure, departures, weather } from './data.js';

const minute = 60_000;
const hour = 60 * minute;

/** A fact of one of the sources, or an outcome, or a question, at its moment (epoch ms). */
export type Happening =
  | { at: number; kind: 'schedule' | 'departed' | 'weather'; fact: Fact }
  | { at: number; kind: 'outcome'; outcome: ReportedOutcome }
  | { at: number; kind: 'question'; question: Question; late: number | null };

/** How many departures are history: the first 12 %. */
export const historyDepartures = 13_353;

/** Everything that happens, in the order in which it becomes known; of the history nothing is asked. */
export function happenings(model: string): Happening[] {
  const flights = departures();
  const all: Happening[] = weather().map(({ hour: at, values }) => {
    const known = at + 52 * minute;
    return { at: known, kind: 'weather', fact: fact('JFK', at, known, values) };
  });
  flights.forEach((flight, i) => {
    all.push(schedule(flight), ...departed(flight), ...outcome(flight));
    if (i >= historyDepartures) all.push(question(flight, model));
  });
  return all.sort((a, b) => a.at - b.at);
}

function fact(entityId: string, eventTime: number, knownAt: number, values: Fact['values']): Fact {
  return { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}

function schedule({ flightId, scheduled, carrier, flight, dest, distance }: Departure): Happening {
  const at = scheduled - 24 * hour;
  return { at, kind: 'schedule', fact: fact(flightId, scheduled, at, { carrier, dest, flight, distance }) };
}

function departed({ flightId, scheduled, departureDelay }: Departure): Happening[] {
  if (departureDelay === null) return [];
  const at = scheduled + departureDelay * minute;
  return [{ at, kind: 'departed', fact: fact(flightId, at, at, { delay: departureDelay }) }];
}

function outcome({ flightId, scheduled, late, labelKnown, arrivalDelay }: Departure): Happening[] {
  if (late === null || labelKnown === null) return [];
  const attributes: ReportedOutcome['attributes'] = {};
  if (arrivalDelay !== null) attributes.arr_delay = { kind: { $case: 'number', value: arrivalDelay } };
  const reported = { entityId: flightId, entityTime: new Date(scheduled), knownAt: new Date(labelKnown), value: late };
  return [{ at: labelKnown, kind: 'outcome', outcome: { ...reported, source: 'bts', attributes } }];
}

function question(flight: Departure, model: string): Happening {
  const { flightId, scheduled, carrier, dest, distance, late } = flight;
  const at = scheduled - hour;
  const inputs = { carrier, dest, flight: flight.flight, distance, sched_dep_utc: new Date(scheduled) };
  const asked = { model, entityId: flightId, id: flightId, eventTime: new Date(at), inputs };
  return { at, kind: 'question', question: asked, late };
}
