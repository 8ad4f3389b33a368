/**
 * The outside world of 2013 as facts and questions, each at the moment at which it became known or was asked.
 *
 * I1  A question is asked 60 minutes before the scheduled departure, so that nothing of the flight itself can be known.
 * I2  A departure is known when it happens, an outcome when it was available, the weather 52 minutes after its hour, the
 *     schedule a day ahead. Cancelled flights never depart and never get an outcome.
 */
import { readFileSync } from 'node:fs';
import type { Fact, ReportedOutcome } from '@driftloop/client';
import { type Departure, departures, weather } from './data.js';
import type { Happening, World } from './world.js';

const minute = 60_000;
const hour = 60 * minute;
export const model = 'flights';

/** How many departures are history: the first 12 %. */
export const historyDepartures = 13_353;

/** Every JFK departure of 2013. Of the history nothing is asked. */
export function openWorld(): World {
  return {
    model,
    label: 'flights.late15',
    spec: readFileSync(new URL('../model.yaml', import.meta.url), 'utf8'),
    sources: ['schedule', 'departed', 'weather'],
    happenings: happenings(departures()),
  };
}

/** Whether each flight was late; cancelled and diverted ones are not in it. */
export function truth(): Map<string, number> {
  return new Map(departures().flatMap(({ flightId, late }) => (late === null ? [] : [[flightId, late]])));
}

function happenings(flights: readonly Departure[]): Happening[] {
  const all: Happening[] = weather().map(({ hour: at, values }) => {
    const known = at + 52 * minute;
    return { at: known, kind: 'fact', source: 'weather', fact: fact('JFK', at, known, values) };
  });
  flights.forEach((flight, i) => {
    all.push(schedule(flight), ...departed(flight), ...outcome(flight));
    if (i >= historyDepartures) all.push(question(flight));
  });
  return all.sort((a, b) => a.at - b.at);
}

function fact(entityId: string, eventTime: number, knownAt: number, values: Fact['values']): Fact {
  return { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}

function schedule({ flightId, scheduled, carrier, flight, dest, distance }: Departure): Happening {
  const at = scheduled - 24 * hour;
  const values = { carrier, dest, flight, distance };
  return { at, kind: 'fact', source: 'schedule', fact: fact(flightId, scheduled, at, values) };
}

function departed({ flightId, scheduled, departureDelay }: Departure): Happening[] {
  if (departureDelay === null) return [];
  const at = scheduled + departureDelay * minute;
  return [{ at, kind: 'fact', source: 'departed', fact: fact(flightId, at, at, { delay: departureDelay }) }];
}

function outcome({ flightId, scheduled, late, labelKnown, arrivalDelay }: Departure): Happening[] {
  if (late === null || labelKnown === null) return [];
  const attributes: ReportedOutcome['attributes'] = {};
  if (arrivalDelay !== null) attributes.arr_delay = { kind: { $case: 'number', value: arrivalDelay } };
  const reported = { entityId: flightId, entityTime: new Date(scheduled), knownAt: new Date(labelKnown), value: late };
  return [{ at: labelKnown, kind: 'outcome', outcome: { ...reported, source: 'bts', attributes } }];
}

function question({ flightId, scheduled, carrier, dest, flight, distance }: Departure): Happening {
  const at = scheduled - hour;
  const inputs = { carrier, dest, flight, distance, sched_dep_utc: new Date(scheduled) };
  return {
    at,
    kind: 'question',
    question: { model, entityId: flightId, id: flightId, eventTime: new Date(at), inputs },
  };
}
