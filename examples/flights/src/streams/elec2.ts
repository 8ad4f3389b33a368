/**
 * Elec2: the electricity market of New South Wales, 1996 to 1998 (Harries, Splice-2 comparative evaluation, 1999), as a
 * world. When a half hour begins: will its price be above the mean of the last 24 hours (UP)?
 *
 * What is known then, and what is not:
 * - The row's own prices, demands and transfer are of the half hour that is asked about. The class is read off its price;
 *   feeding them, as benchmarks on this file do, answers the question with the answer. None is known here before it ended.
 * - Demands and transfer are metered: known when their half hour ends.
 * - Prices are settled a day later, with the class, which could else be computed from them.
 */
import { readFileSync } from 'node:fs';
import { rows } from '../table.js';
import type { World } from '../world.js';
import { needData } from './files.js';
import { happeningsOf, type Period, truthOf } from './stream.js';

interface HalfHour extends Period {
  /** 1 to 7. */
  day: number;
  demand: number;
  price: number;
  victorianDemand: number;
  victorianPrice: number;
  transfer: number;
}

const halfHour = 1_800_000;
export const file = 'elec2.csv.gz';
export const model = 'elec2';

export function openWorld(): World {
  return {
    model,
    label: 'elec2.up',
    spec: readFileSync(new URL('../../streams/elec2.yaml', import.meta.url), 'utf8'),
    sources: ['calendar', 'meters', 'settlement'],
    step: 3 * 3_600_000,
    happenings: happeningsOf(halfHours(), {
      model,
      lead: 0,
      calendar: 'calendar',
      time: 'starts_at',
      inputs: ({ day }) => ({ day }),
      metered: {
        meters: ({ demand, victorianDemand, transfer }) => ({ demand, vic_demand: victorianDemand, transfer }),
      },
      settled: { settlement: ({ price, victorianPrice }) => ({ price, vic_price: victorianPrice }) },
    }),
  };
}

export const truth = (): Map<string, number> => truthOf(halfHours());

function halfHours(): HalfHour[] {
  return Array.from(rows(needData(file)), (row, i) => {
    const start = Date.parse(`${row.timestamp}Z`);
    return {
      id: `E${i + 1}`,
      start,
      end: start + halfHour,
      label: row.class === 'UP' ? 1 : 0,
      day: Number(row.day),
      demand: Number(row.nswdemand),
      price: Number(row.nswprice),
      victorianDemand: Number(row.vicdemand),
      victorianPrice: Number(row.vicprice),
      transfer: Number(row.transfer),
    };
  });
}
