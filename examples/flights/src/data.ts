/** The flights of 2013 and the weather, as the files hold them (CC0; see ../data/README.md). */
import { rows } from './table.js';

/** One departure. Delays are minutes; null where the flight was cancelled or diverted. */
export interface Departure {
  flightId: string;
  scheduled: number;
  carrier: string;
  flight: string;
  dest: string;
  distance: number;
  departureDelay: number | null;
  arrivalDelay: number | null;
  /** Minutes in the air. */
  airborne: number | null;
  late: number | null;
  /** When the outcome became known, epoch ms; null where it never did. */
  labelKnown: number | null;
}

export interface Observation {
  hour: number;
  values: Record<string, number | null>;
}

const folder = new URL('../data/', import.meta.url);

/** Every JFK departure of 2013, in order of scheduled departure. */
export function departures(): Departure[] {
  return Array.from(rows(new URL('departures.csv.gz', folder)), (row) => ({
    flightId: row.flight_id,
    scheduled: Date.parse(row.sched_dep_utc),
    carrier: row.carrier,
    flight: row.flight,
    dest: row.dest,
    distance: Number(row.distance),
    departureDelay: number(row.dep_delay),
    arrivalDelay: number(row.arr_delay),
    airborne: number(row.air_time),
    late: number(row.label_late15),
    labelKnown: row.label_available_utc ? Date.parse(row.label_available_utc) : null,
  }));
}

/** Hourly observations at JFK, in order. */
export function weather(): Observation[] {
  return Array.from(rows(new URL('weather.csv.gz', folder)), ({ time_hour, origin: _, ...columns }) => ({
    hour: Date.parse(time_hour),
    values: Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, number(text)])),
  }));
}

const number = (text: string): number | null => (text === '' ? null : Number(text));
