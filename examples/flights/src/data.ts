/** The flights of 2013 and the weather, as the files hold them (CC0; see ../data/README.md). Node's own modules only. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

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
  return Array.from(rows('departures.csv.gz'), (row) => ({
    flightId: row.flight_id,
    scheduled: Date.parse(row.sched_dep_utc),
    carrier: row.carrier,
    flight: row.flight,
    dest: row.dest,
    distance: Number(row.distance),
    departureDelay: number(row.dep_delay),
    arrivalDelay: number(row.arr_delay),
    late: number(row.label_late15),
    labelKnown: row.label_available_utc ? Date.parse(row.label_available_utc) : null,
  }));
}

/** Hourly observations at JFK, in order. */
export function weather(): Observation[] {
  return Array.from(rows('weather.csv.gz'), ({ time_hour, origin: _, ...columns }) => ({
    hour: Date.parse(time_hour),
    values: Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, number(text)])),
  }));
}

const number = (text: string): number | null => (text === '' ? null : Number(text));

/** The files have no quoted fields. */
function* rows(file: string): Generator<Record<string, string>> {
  const [header, ...lines] = gunzipSync(readFileSync(new URL(file, folder)))
    .toString('utf8')
    .trim()
    .split('\n');
  const names = header.split(',');
  for (const line of lines) {
    const cells = line.split(',');
    yield Object.fromEntries(names.map((name, i) => [name, cells[i]]));
  }
}
