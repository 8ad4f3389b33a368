/**
 * The outside world of 2013 as facts and questions, each at the moment at which it became known or was asked.
 *
 * I1  A question is asked 60 minutes before the scheduled departure, so that nothing of the flight itself can be known.
 * I2  A departure is known when it happens, an outcome when it was available, the weather 52 minutes after its hour, the
 *     schedule a day ahead. Cancelled flights never depart and never get an outcome.
 */
import { readFileSync } from 'node:fs';
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';
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

/** In order. What happens is made when it is looked at: the year as objects would be some hundred megabytes. */
function happenings(flights: readonly Departure[]): Happening[] {
  const all: Happening[] = weather().map(({ hour: at, values }) => {
    const known = at + 52 * minute;
    return factOf('weather', known, () => fact('JFK', at, known, values));
  });
  flights.forEach((flight, i) => {
    all.push(schedule(flight), ...departed(flight), ...outcome(flight));
    if (i >= historyDepartures) all.push(question(flight));
  });
  return all.sort((a, b) => a.at - b.at);
}

function factOf(source: string, at: number, make: () => Fact): Happening {
  return {
    at,
    kind: 'fact',
    source,
    get fact() {
      return make();
    },
  };
}

function fact(entityId: string, eventTime: number, knownAt: number, values: Fact['values']): Fact {
  return { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}

function schedule({ flightId, scheduled, carrier, flight, dest, distance }: Departure): Happening {
  const at = scheduled - 24 * hour;
  return factOf('schedule', at, () => fact(flightId, scheduled, at, { carrier, dest, flight, distance }));
}

function departed({ flightId, scheduled, departureDelay }: Departure): Happening[] {
  if (departureDelay === null) return [];
  const at = scheduled + departureDelay * minute;
  return [factOf('departed', at, () => fact(flightId, at, at, { delay: departureDelay }))];
}

function outcome(flight: Departure): Happening[] {
  const { labelKnown: at } = flight;
  if (flight.late === null || at === null) return [];
  return [
    {
      at,
      kind: 'outcome',
      get outcome() {
        return reported(flight);
      },
    },
  ];
}

function reported({ flightId, scheduled, late, labelKnown, arrivalDelay }: Departure): ReportedOutcome {
  const attributes: ReportedOutcome['attributes'] = {};
  if (arrivalDelay !== null) attributes.arr_delay = { kind: { $case: 'number', value: arrivalDelay } };
  const times = { entityTime: new Date(scheduled), knownAt: new Date(labelKnown!) };
  return { entityId: flightId, ...times, value: late!, source: 'bts', attributes };
}

function question(flight: Departure): Happening {
  return {
    at: flight.scheduled - hour,
    kind: 'question',
    get question() {
      return asked(flight);
    },
  };
}

function asked({ flightId, scheduled, carrier, dest, flight, distance }: Departure): Question {
  const inputs = { carrier, dest, flight, distance, sched_dep_utc: new Date(scheduled) };
  return { model, entityId: flightId, id: flightId, eventTime: new Date(scheduled - hour), inputs };
}
