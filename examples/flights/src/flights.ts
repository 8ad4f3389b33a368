/**
 * The outside world of 2013 as facts and questions, each at the moment at which it became known or was asked.
 *
 * I1  A question is asked 60 minutes before the scheduled departure, so that nothing of the flight itself can be known.
 * I2  A departure is known when it happens, an arrival and its outcome when they were available, the weather 52 minutes
 *     after its hour, the schedule a day ahead. Cancelled flights never depart, and they and diverted ones never get an
 *     outcome.
 */
import { readFileSync } from 'node:fs';
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';
import { type Departure, departures, type Observation, weather } from './data.js';
import { fact, inOrder, Later } from './later.js';
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
    sources: ['schedule', 'departed', 'arrived', 'weather'],
    happenings: happenings(departures()),
  };
}

/** Whether each flight was late; cancelled and diverted ones are not in it. */
export function truth(): Map<string, number> {
  return new Map(departures().flatMap(({ flightId, late }) => (late === null ? [] : [[flightId, late]])));
}

/** In order. */
function happenings(flights: readonly Departure[]): Happening[] {
  const all: Happening[] = weather().map((observation) => {
    return new Later('fact', observation.hour + 52 * minute, observation, observed, 'weather');
  });
  flights.forEach((flight, i) => {
    const { scheduled, departureDelay, labelKnown } = flight;
    all.push(new Later('fact', scheduled - 24 * hour, flight, planned, 'schedule'));
    if (departureDelay !== null)
      all.push(new Later('fact', scheduled + departureDelay * minute, flight, departed, 'departed'));
    if (labelKnown !== null) {
      all.push(new Later('fact', labelKnown, flight, arrived, 'arrived'));
      all.push(new Later('outcome', labelKnown, flight, reported));
    }
    if (i >= historyDepartures) all.push(new Later('question', scheduled - hour, flight, asked));
  });
  return inOrder(all);
}

const observed = ({ hour: at, values }: Observation): Fact => fact('JFK', at, at + 52 * minute, values);

const planned = ({ flightId, scheduled, carrier, flight, dest, distance }: Departure): Fact =>
  fact(flightId, scheduled, scheduled - 24 * hour, { carrier, dest, flight, distance });

function departed({ flightId, scheduled, departureDelay }: Departure): Fact {
  const at = scheduled + departureDelay! * minute;
  return fact(flightId, at, at, { delay: departureDelay });
}

function arrived({ flightId, labelKnown, departureDelay, arrivalDelay, airborne }: Departure): Fact {
  const lost = arrivalDelay! - departureDelay!;
  return fact(flightId, labelKnown!, labelKnown!, { lost, airborne });
}

function reported({ flightId, scheduled, late, labelKnown, arrivalDelay }: Departure): ReportedOutcome {
  const attributes: ReportedOutcome['attributes'] = {};
  if (arrivalDelay !== null) attributes.arr_delay = { kind: { $case: 'number', value: arrivalDelay } };
  const times = { entityTime: new Date(scheduled), knownAt: new Date(labelKnown!) };
  return { entityId: flightId, ...times, value: late!, source: 'bts', attributes };
}

function asked({ flightId, scheduled, carrier, dest, flight, distance }: Departure): Question {
  const inputs = { carrier, dest, flight, distance, sched_dep_utc: new Date(scheduled) };
  return { model, entityId: flightId, id: flightId, eventTime: new Date(scheduled - hour), inputs };
}
