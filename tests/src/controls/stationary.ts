/**
 * A stationary stream: nothing drifts, so the calibration trigger has nothing to find. A model learns from a random part of
 * the days; the days held out are put into a random order, which leaves the days as they are (their rows share weather and
 * congestion) and takes all seasons and trends out. The trigger is asked after each of them, as the loop asks it.
 */
import {
  calibrationGap,
  type DaySum,
  decideTrigger,
  predict,
  Random,
  residualMicro,
  selectRows,
  train,
} from '@driftloop/algorithms';
import { boosterParameters } from '@driftloop/training';
import type { Control } from './control.js';
import type { Year } from './year.js';

/** Share of the days that is learned from. */
const learned = 0.6;

export const stationary: Control = {
  name: 'stationary stream',
  mustShow: '≤ 1 calibration trigger per 100 days',
  async run({ seed, year, tell }) {
    const { triggers, days } = triggersOf(await year(), seed, { splits: 4, orders: 50, tell });
    const figure = (100 * triggers) / days;
    const showed = `${figure.toFixed(2)} (${triggers} in ${days} days)`;
    return [{ what: 'calibration triggers per 100 days', figure, showed, atMost: 1 }];
  },
};

interface StationaryOptions {
  splits: number;
  /** Orders of the held-out days, for each split. */
  orders: number;
  /** For the control of the control: days in the order in which they came. */
  asTheyCame?: boolean;
  tell?: (what: string) => void;
}

/** How often the spec's calibration conditions open a cycle, and in how many days. */
export function triggersOf(year: Year, seed: number, options: StationaryOptions) {
  const { splits, orders, asTheyCame = false, tell = () => {} } = options;
  const total = { triggers: 0, days: 0 };
  for (let split = 0; split < splits; split++) {
    tell(`stationary stream: split ${split + 1} of ${splits}`);
    const random = new Random(`${seed}/stationary/${split}`);
    const days = heldOut(year, random);
    for (let order = 0; order < orders; order++) {
      const order = asTheyCame ? days.toSorted((a, b) => (a.day < b.day ? -1 : 1)) : random.shuffle([...days]);
      total.triggers += triggersIn(year, order);
      total.days += days.length - year.rules.windowDays;
    }
  }
  return total;
}

/** Day sums of y − p over the days that the model has not learned from. */
function heldOut({ table, history, spec }: Year, random: Random): DaySum[] {
  const days = random.shuffle(history.days.filter(({ from, to }) => to > from));
  const count = Math.floor(learned * days.length);
  const rowsOf = (some: typeof days) =>
    Int32Array.from(some.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i))).sort();
  const { parameters, seed } = spec.spec.training;
  const known = rowsOf(days.slice(0, count));
  const model = train(selectRows(table, known), boosterParameters(parameters, known.length), { seed });
  return days.slice(count).map(({ name, from, to }) => {
    const rows = rowsOf([{ name, from, to } as (typeof days)[number]]);
    const p = predict(model, selectRows(table, rows));
    const sum = rows.reduce((s, row, i) => s + residualMicro(p[i], table.labels[row] as 0 | 1), 0);
    return { day: name, rows: rows.length, sum };
  });
}

/** One order of the days: the policy's calibration conditions alone, with its cooldown. */
function triggersIn({ rules }: Year, order: readonly DaySum[]): number {
  const any = (rules.policy.any ?? []).filter((condition) => condition.calibrationGap);
  const policy = { ...rules.policy, any, minFreshLabels: 0 };
  const named = order.map((day, i) => ({ ...day, day: String(i).padStart(5, '0') }));
  let triggers = 0;
  let since: number | null = null;
  for (let day = rules.windowDays; day < named.length; day++) {
    const gap = calibrationGap(named.slice(day - rules.windowDays, day));
    const signals = {
      calibrationGap: gap,
      freshLabels: gap.rows,
      daysSinceLastCycle: since === null ? null : day - since,
    };
    if (!decideTrigger(signals, policy).retrain) continue;
    triggers++;
    since = day;
  }
  return triggers;
}
