/**
 * A/A: the champion against itself, so that whoever calls the challenger better or harmful is wrong. Twice:
 *
 * - the same recipe, the same rows, another seed, at cutoffs four weeks apart, each judged for 28 days, both ways round;
 * - fresh model and a four weeks older one, swapped by a coin day by day: the true difference is nothing, while days vary
 *   as much as they do between models that are truly different. Hundreds of runs, for a figure of a percent.
 */
import {
  type DaySum,
  gate,
  type JudgeOptions,
  type ModelScores,
  pairedDay,
  Random,
  startJudge,
  typicalRows,
  updateJudge,
} from '@driftloop/algorithms';
import { type Control, type Finding, share } from './control.js';
import type { Year } from './year.js';

const shadowDays = 28;

/** What was said of a challenger that is the champion's equal. */
export interface Said {
  superior: boolean;
  harmful: boolean;
  /** By the judge's own rule, the limit's included. */
  promoted: boolean;
  /** By the gate, on the last days. */
  passed: boolean;
}

export const aa: Control = {
  name: 'A/A candidate',
  mustShow: 'superiority claimed ≤ 5%, harm ≤ 1%; passing non-inferiority is right',
  async run({ seed, year, tell }) {
    const opened = await year();
    tell('A/A: twins of the same recipe');
    const twins = await twinRuns(opened);
    tell('A/A: coin-swapped days');
    const swapped = await swappedRuns(opened, seed, 100);
    return [
      // Few runs: ranges that an equal challenger stays in nineteen times of twenty.
      ...findingsOf('another seed', twins, { superior: 0.15, harmful: 0.05, passed: 0.75 }),
      ...findingsOf('swapped by coin', swapped, { superior: 0.05, harmful: 0.01, passed: 0.85 }),
    ];
  },
};

export function findingsOf(
  name: string,
  said: readonly Said[],
  limits = { superior: 0.05, harmful: 0.01, passed: 0.85 },
): Finding[] {
  const count = (of: keyof Said) => said.filter((one) => one[of]).length;
  return [
    share(`${name}: called better`, count('superior'), said.length, { atMost: limits.superior }),
    share(`${name}: called harmful`, count('harmful'), said.length, { atMost: limits.harmful }),
    share(`${name}: passed the gate`, count('passed'), said.length, { atLeast: limits.passed }),
    share(`${name}: promoted by the judge`, count('promoted'), said.length, { atLeast: limits.passed }),
  ];
}

/** Two seeds of one recipe, each as challenger of the other. */
export async function twinRuns(year: Year, everyDays = 28): Promise<Said[]> {
  const { seed } = year.spec.spec.training;
  const [one, other] = [year.models({ seed }), year.models({ seed: seed + 1 })];
  const said: Said[] = [];
  for (const cutoff of year.cutoffs(everyDays, shadowDays + 2)) {
    const [a, b] = [await one.at(cutoff), await other.at(cutoff)];
    said.push(judged(year, a, b, cutoff), judged(year, b, a, cutoff));
  }
  return said;
}

/** Fresh and older models, swapped by a coin on each day. */
export async function swappedRuns(year: Year, seed: number, runs: number, everyDays = 28): Promise<Said[]> {
  const models = year.models();
  const cutoffs = year.cutoffs(everyDays, shadowDays + 2);
  const said: Said[] = [];
  for (const [i, cutoff] of cutoffs.entries()) {
    if (i === 0) continue;
    const [older, fresh] = [await models.at(cutoffs[i - 1]), await models.at(cutoff)];
    for (let run = 0; run < runs; run++) {
      const random = new Random(`${seed}/aa/${cutoff}/${run}`);
      said.push(judged(year, older, fresh, cutoff, () => random.uniform() < 0.5));
    }
  }
  return said;
}

function judged(
  { history, rules, spec }: Year,
  champion: ModelScores,
  challenger: ModelScores,
  since: number,
  swapped: () => boolean = () => false,
): Said {
  const after = history.days.filter(({ start }) => start >= since + history.times.lead).slice(0, shadowDays);
  const days = after.map((day): DaySum => {
    const sum = pairedDay(champion, challenger, day);
    return swapped() ? { ...sum, sum: -sum.sum } : sum;
  });
  const before = history.closedBy(since, 14).map(({ name, from, to }) => ({ day: name, rows: to - from }));
  const options = { typicalRows: typicalRows(before), ...rules.shadow };
  const decided = (changed: Partial<JudgeOptions>) => {
    let state = startJudge({ ...options, ...changed });
    for (const day of days) state = updateJudge(state, day).state;
    return state.decision;
  };
  const { embargo, confidence } = spec.spec.gate;
  const verdict = gate({ days: days.slice(-embargo.maxDays) }, { level: 1 - confidence, minDays: 2, minRows: 1 });
  return {
    // With no margin to spare the judge promotes what it calls better.
    superior: decided({ margin: 0, limitDays: shadowDays + 1 }) === 'promote',
    // Never promoted, so that harm has all the days to be found.
    harmful: decided({ promoteAt: Number.MAX_VALUE }) === 'harm',
    promoted: decided({}).endsWith('promote'),
    passed: verdict.approved,
  };
}
