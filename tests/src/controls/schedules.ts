/**
 * The default policy against a calendar and a random schedule with as many trainings, all through the same gate and shadow,
 * from at least twelve starts: `driftloop simulate` on the year, with the controls' quicker booster.
 */
import { join } from 'node:path';
import { runSimulation } from '@driftloop/training';
import type { Control, Finding } from './control.js';
import { folderParts } from './year.js';

const jitters = 12;

export const schedules: Control = {
  name: 'random and calendar schedule',
  mustShow: 'both beaten by the default policy on the mean of ≥ 12 jitters',
  async run({ seed, home, year, tell }) {
    const { table, spec } = await year();
    const parts = folderParts(join(home, 'simulation'));
    const report = await runSimulation({ table, spec, jitters, seed }, parts, ({ what, done, of }) =>
      tell(`schedules: ${what} ${done} of ${of}`),
    );
    const policy = report.policies.find(({ name }) => name === 'policy')!;
    const against = (name: string, range: Pick<Finding, 'atLeast'>): Finding => {
      const row = report.policies.find((one) => one.name === name)!;
      const figures = `${signed(row.difference)} (${signed(row.differenceLow)} to ${signed(row.differenceHigh)})`;
      const showed = `${figures} a row at ${row.trainings.toFixed(1)} trainings, over ${report.jitters} starts`;
      return { what: `${name}: log loss above the policy's`, figure: row.difference, showed, ...range };
    };
    return [
      {
        what: 'policy: log loss',
        figure: policy.logLoss,
        showed: `${policy.logLoss.toFixed(4)}, AUC ${policy.auc.toFixed(4)}, ${policy.trainings.toFixed(1)} trainings`,
      },
      against('calendar', { atLeast: Number.MIN_VALUE }),
      against('random', { atLeast: Number.MIN_VALUE }),
      against('frozen', {}),
    ];
  },
};

const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(4)}`;
