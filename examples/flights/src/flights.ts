/**
 * The outside world of 2013 as facts and questions, each at the moment at which it became known or was asked.
 *
 * I1  A question is asked 60 minutes before the scheduled departure, so that nothing of the flight itself can be known.
 * I2  A departure is known when it happens, an outcome when it was available, the weather 52 minutes after its hour, the
 *     schedule a day ahead. Cancelled flights never depart and never get an outcome.
 */
import { readFileSync } from 'node:fs';
import type { Fact, Question, ReportedOutcome } from '@driftloop/client';
import { type Departure, departures, type Observation, weather } from './data.js';
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

/** A happening that is made when it is looked at: the year as objects would be some hundred megabytes. */
class Later<Kind extends Happening['kind'], Of> {
  constructor(
    readonly kind: Kind,
    readonly at: number,
    readonly of: Of,
    private readonly make: (of: Of) => unknown,
    readonly source = '',
  ) {}
  get fact(): Fact {
    return this.make(this.of) as Fact;
  }
  get outcome(): ReportedOutcome {
    return this.make(this.of) as ReportedOutcome;
  }
  get question(): Question {
    return this.make(this.of) as Question;
  }
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
    if (labelKnown !== null) all.push(new Later('outcome', labelKnown, flight, reported));
    if (i >= historyDepartures) all.push(new Later('question', scheduled - hour, flight, asked));
  });
  return all.sort((a, b) => a.at - b.at);
}

function fact(entityId: string, eventTime: number, knownAt: number, values: Fact['values']): Fact {
  return { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}

const observed = ({ hour: at, values }: Observation): Fact => fact('JFK', at, at + 52 * minute, values);

const planned = ({ flightId, scheduled, carrier, flight, dest, distance }: Departure): Fact =>
  fact(flightId, scheduled, scheduled - 24 * hour, { carrier, dest, flight, distance });

function departed({ flightId, scheduled, departureDelay }: Departure): Fact {
  const at = scheduled + departureDelay! * minute;
  return fact(flightId, at, at, { delay: departureDelay });
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
