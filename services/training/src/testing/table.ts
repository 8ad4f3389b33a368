/** For specs: a table with two features and labels that follow one of them; rows spread evenly over days. */
import { Random } from '@driftloop/algorithms';
import type { TrainingTable } from '../recipe/table.js';

export const DAY = 86_400_000;
export const START = Date.UTC(2030, 0, 1);

export interface TableOptions {
  readonly days: number;
  readonly perDay: number;
  /** How late labels become known, ms. */
  readonly delay?: number;
  readonly seed?: number;
  /** What a day adds to the logit of its rows. */
  readonly ofDay?: (day: number, random: Random) => number;
}

export function tableOf({ days, perDay, delay = 0, seed = 1, ofDay = () => 0 }: TableOptions): TrainingTable {
  const random = new Random(seed);
  const rows = days * perDay;
  const signal = Float64Array.from({ length: rows }, () => random.normal());
  const shifts = Array.from({ length: days }, (_, day) => ofDay(day, random));
  const entityTimes = Float64Array.from({ length: rows }, (_, row) => START + (row * DAY) / perDay);
  const labels = Uint8Array.from(signal, (x, row) =>
    random.uniform() < 1 / (1 + Math.exp(0.8 - x - shifts[Math.floor(row / perDay)])) ? 1 : 0,
  );
  const codes = Int32Array.from({ length: rows }, () => random.integer(4) - 1);
  return {
    rows,
    columns: [
      { name: 'signal', kind: 'numeric', values: signal },
      { name: 'kind', kind: 'categorical', codes, categories: ['a', 'b', 'c'] },
    ],
    labels,
    questionTimes: entityTimes.map((time) => time - 3_600_000),
    knownAt: entityTimes.map((time) => time + delay),
    cohorts: entityTimes.map((time) => Math.floor(time / DAY) * DAY),
  };
}
