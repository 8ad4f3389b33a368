/**
 * Bike sharing: Capital Bikeshare in Washington, hour by hour through 2011 and 2012 (Fanaee-T & Gama 2013), as a world.
 * An hour before an hour begins: will more than 150 bikes be rented in it? A level that one hour in eight of the first
 * winter passes, and every second hour afterwards: ridership grows with the seasons and the years.
 *
 * What is known then, and what is not:
 * - The weather of the last hour that has ended. The row's own weather, and its split into casual and registered riders
 *   (whose sum is the count), are of the hour that is asked about.
 * - Counts are settled a day later, with the outcome, which could else be computed from them.
 * - Holidays and working days are known ahead. Times are Washington's clock, read as UTC.
 */
import { readFileSync } from 'node:fs';
import { rows } from '../table.js';
import type { World } from '../world.js';
import { needData } from './files.js';
import { happeningsOf, type Period, truthOf } from './stream.js';

interface Hour extends Period {
  holiday: number;
  workingDay: number;
  rentals: number;
  weather: { condition: number; temp: number; felt: number; humidity: number; wind: number };
}

const hour = 3_600_000;
/** "Busy" is more than this. */
export const busyAbove = 150;
export const file = 'bike_sharing_hourly.csv';
export const model = 'bike-sharing';

export function openWorld(): World {
  return {
    model,
    label: 'bike-sharing.busy',
    spec: readFileSync(new URL('../../streams/bike-sharing.yaml', import.meta.url), 'utf8'),
    sources: ['calendar', 'weather', 'rentals'],
    step: 3 * hour,
    happenings: happeningsOf(hours(), {
      model,
      lead: hour,
      calendar: 'calendar',
      time: 'starts_at',
      inputs: ({ holiday, workingDay }) => ({ holiday, working_day: workingDay }),
      metered: { weather: ({ weather }) => weather },
      settled: { rentals: ({ rentals }) => ({ count: rentals }) },
    }),
  };
}

export const truth = (): Map<string, number> => truthOf(hours());

function hours(): Hour[] {
  return Array.from(rows(needData(file)), (row) => {
    const start = Date.parse(`${row.dteday}T00:00:00Z`) + Number(row.hr) * hour;
    return {
      id: `H${row.instant}`,
      start,
      end: start + hour,
      label: Number(row.cnt) > busyAbove ? 1 : 0,
      holiday: Number(row.holiday),
      workingDay: Number(row.workingday),
      rentals: Number(row.cnt),
      weather: {
        condition: Number(row.weathersit),
        temp: Number(row.temp),
        felt: Number(row.atemp),
        humidity: Number(row.hum),
        wind: Number(row.windspeed),
      },
    };
  });
}
