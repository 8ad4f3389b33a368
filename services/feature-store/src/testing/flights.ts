/** The flights as the outside world sends them, for specs: rows of every source, and the model. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  type Label,
  type ModelDeclared,
  type ModelSpec,
  parseModelSpec,
  type SourceRow,
  type Value,
} from '@driftloop/contracts';

const folder = new URL('../../../../examples/flights/', import.meta.url);
const hour = 3_600_000;
const minute = 60_000;

export type Departure = Record<
  | 'flight_id'
  | 'sched_dep_utc'
  | 'carrier'
  | 'flight'
  | 'dest'
  | 'distance'
  | 'dep_delay'
  | 'arr_delay'
  | 'air_time'
  | 'label_late15'
  | 'label_available_utc',
  string
>;

export const specJson = readFileSync(new URL('model.yaml', folder), 'utf8');
export const flightsSpec: ModelSpec = parseModelSpec(specJson);

/** The departures with a scheduled departure in [from, to), both ISO dates. */
export function departures(from: string, to: string): Departure[] {
  const inRange = ({ sched_dep_utc: time }: Departure) => time >= from && time < to;
  return csv<Departure>('departures').filter(inRange);
}

export const number = (value: number): Value => ({ kind: { $case: 'number', value } });
export const text = (value: string): Value => ({ kind: { $case: 'text', value } });

export function scheduleRows(flights: readonly Departure[]): SourceRow[] {
  return flights.map((d) => {
    const time = Date.parse(d.sched_dep_utc);
    const values = {
      carrier: text(d.carrier),
      dest: text(d.dest),
      flight: text(d.flight),
      distance: number(Number(d.distance)),
    };
    return row(d.flight_id, time, time - 24 * hour, values);
  });
}

/** Cancelled flights never leave. */
export function departedRows(flights: readonly Departure[]): SourceRow[] {
  return flights
    .filter((d) => d.dep_delay !== '')
    .map((d) => {
      const left = Date.parse(d.sched_dep_utc) + Number(d.dep_delay) * minute;
      return row(d.flight_id, left, left, { delay: number(Number(d.dep_delay)) });
    });
}

/** Cancelled and diverted flights never land here. */
export function arrivedRows(flights: readonly Departure[]): SourceRow[] {
  return flights
    .filter((d) => d.label_late15 !== '')
    .map((d) => {
      const landed = Date.parse(d.label_available_utc);
      return row(d.flight_id, landed, landed, {
        lost: number(Number(d.arr_delay) - Number(d.dep_delay)),
        airborne: number(Number(d.air_time)),
      });
    });
}

export function weatherRows(from: string, to: string): SourceRow[] {
  const columns = Object.keys(flightsSpec.spec.sources.weather.columns);
  return csv<Record<string, string>>('weather')
    .filter(({ time_hour: time }) => time >= from && time < to)
    .map((w) => {
      const values = columns.filter((name) => w[name] !== '').map((name) => [name, number(Number(w[name]))]);
      const time = Date.parse(w.time_hour);
      return row('JFK', time, time + 52 * minute, Object.fromEntries(values));
    });
}

export function labels(flights: readonly Departure[]): Label[] {
  return flights
    .filter((d) => d.label_late15 !== '')
    .map((d) => ({
      entityId: d.flight_id,
      entityTime: new Date(d.sched_dep_utc),
      knownAt: new Date(d.label_available_utc),
      value: Number(d.label_late15),
      source: 'bts',
      confidence: 1,
      revision: 1,
    }));
}

/** When the question about a flight is asked. */
export const askedAt = (d: Departure) => Date.parse(d.sched_dep_utc) - hour;

export function declared(spec = specJson, revision = 1): ModelDeclared {
  const model = parseModelSpec(spec).metadata.name;
  return { tenant: 'main', model, revision, specJson: spec, specSha256: '' };
}

function row(entityId: string, eventTime: number, knownAt: number, values: Record<string, Value>): SourceRow {
  return { entityId, eventTime: new Date(eventTime), knownAt: new Date(knownAt), values };
}

function csv<T>(name: string): T[] {
  const file = gunzipSync(readFileSync(new URL(`data/${name}.csv.gz`, folder))).toString();
  const [header, ...lines] = file
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  return lines.map((cells) => Object.fromEntries(header.map((column, i) => [column, cells[i]])) as T);
}
