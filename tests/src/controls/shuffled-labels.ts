/**
 * A challenger trained on shuffled labels knows nothing. The gate must refuse every one; where it is forced past the gate
 * into shadow, the judge must stop it, and never promote it.
 *
 * Each course is the loop's own: a twin that does not know the embargoed days, gate, paired shadow, on the flights as they
 * were. Labels are shuffled among all rows, so that their share stays.
 */

import { courseOf, type ModelScores, Random } from '@driftloop/algorithms';
import { dayMs } from '@driftloop/contracts';
import { embargoAt } from '@driftloop/training';
import { type Control, share } from './control.js';
import { labelsName, type Year } from './year.js';

export interface ShuffledRun {
  gated: string;
  forced: string;
  /** Days in shadow when it was forced. */
  days: number;
}

export const shuffledLabels: Control = {
  name: 'shuffled labels',
  mustShow: 'gate 0% promoted; forced into shadow ≥ 90% stopped, 0% promoted',
  async run({ seed, year, tell }) {
    const runs = await shuffledRuns(await year(), seed, { shuffles: 2, everyDays: 28, tell });
    const forced = runs.filter((run) => run.forced !== 'open');
    const stopped = forced.filter((run) => run.forced === 'rolled_back');
    const days = stopped.map((run) => run.days).sort((a, b) => a - b);
    return [
      share('passed the gate', runs.filter((run) => run.gated !== 'refused').length, runs.length, { atMost: 0 }),
      share('forced into shadow: stopped', stopped.length, forced.length, { atLeast: 0.9 }),
      share('forced into shadow: promoted', forced.filter((run) => run.forced === 'promoted').length, forced.length, {
        atMost: 0,
      }),
      {
        what: 'days until stopped, median',
        figure: days[days.length >> 1] ?? Number.NaN,
        showed: `${days[days.length >> 1] ?? '–'} (${days[0] ?? '–'} to ${days.at(-1) ?? '–'})`,
      },
    ];
  },
};

interface ShuffledOptions {
  shuffles: number;
  everyDays: number;
  /** How much older the champion is: the embargo lies between. */
  championDays?: number;
  tell?: (what: string) => void;
}

/** Each cutoff with each shuffle of the labels, through the gate and past it. */
export async function shuffledRuns(
  year: Year,
  seed: number,
  { shuffles, everyDays, championDays = 20, tell = () => {} }: ShuffledOptions,
): Promise<ShuffledRun[]> {
  const { table, spec, history, rules } = year;
  const champions = year.models();
  const ungated = { ...rules, gate: { ...rules.gate, enabled: false } };
  const runs: ShuffledRun[] = [];
  for (let shuffle = 0; shuffle < shuffles; shuffle++) {
    const labels = new Random(`${seed}/shuffled/${shuffle}`).shuffle(table.labels.slice());
    const models = year.models({ table: { ...table, labels }, name: `shuffled-${labelsName(labels)}` });
    const [first, ...cutoffs] = year.cutoffs(everyDays, 32);
    for (const opened of cutoffs) {
      const older = Math.max(first, opened - championDays * dayMs);
      const embargo = embargoAt(table, spec, opened, older);
      if (!embargo) continue;
      tell(`shuffled labels: shuffle ${shuffle + 1} of ${shuffles}, ${new Date(opened).toISOString().slice(0, 10)}`);
      const at = (cutoff: number): Promise<ModelScores> => models.at(cutoff);
      const contenders = {
        champion: await champions.at(older),
        released: await at(opened),
        twin: await at(embargo.twinCutoff),
        embargo,
      };
      const gated = courseOf(history, rules, opened, contenders);
      const forced = courseOf(history, ungated, opened, contenders);
      runs.push({ gated: gated.outcome, forced: forced.outcome, days: forced.judgedDays });
    }
  }
  return runs;
}
