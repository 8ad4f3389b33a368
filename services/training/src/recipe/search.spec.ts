import { tableOf } from '../testing/table.js';
import { parcels } from '../testing/training.js';
import type { Trial } from './parameters.js';
import { adopted, search, trialParameters } from './search.js';

const spec = parcels();
const declared = spec.spec.training.parameters;
const table = tableOf({ days: 30, perDay: 80 });
const rows = Int32Array.from({ length: table.rows }, (_, row) => row);
const run = (done: readonly Trial[] = []) => {
  const heard: number[] = [];
  let trials: readonly Trial[] = done;
  const parameters = search(table, rows, spec, done, (now) => {
    heard.push(now.length);
    trials = [...now];
  });
  return { parameters, heard, trials };
};

describe('a search', () => {
  it('tries the declared parameters first, then seeded ones around them', () => {
    const { trials } = run();
    expect(trials.map(({ parameters }) => parameters.leaves)).toEqual(
      [0, 1, 2].map((trial) => trialParameters(declared, trial, 1).leaves),
    );
    expect(trials[0].parameters).toEqual(declared);
    expect(trials[0].t).toBe(0);
    expect(trialParameters(declared, 1, 1)).toEqual(trialParameters(declared, 1, 1));
    expect(trialParameters(declared, 1, 1)).not.toEqual(trialParameters(declared, 1, 2));
  });

  it('goes on after the trials that are done, and ends as it would have', () => {
    const whole = run();
    const resumed = run(whole.trials.slice(0, 2));
    expect(resumed.heard).toEqual([3]);
    expect(resumed.trials).toEqual(whole.trials);
    expect(resumed.parameters).toEqual(whole.parameters);
  });

  it('keeps the declared parameters unless a trial is better by more than one standard error', () => {
    const trial = (t: number, leaves: number) => ({ parameters: { ...declared, leaves }, loss: 0, t });
    expect(adopted(declared, [trial(0, 7), trial(0.9, 15), trial(-3, 31)])).toEqual(declared);
    expect(adopted(declared, [trial(0, 7), trial(1.1, 15), trial(2.5, 31), trial(1.3, 3)]).leaves).toBe(31);
    expect(adopted(declared, [])).toEqual(declared);
  });

  it('runs no trial where too few days can judge', () => {
    const short = tableOf({ days: 4, perDay: 500 });
    const all = Int32Array.from({ length: short.rows }, (_, row) => row);
    const heard: unknown[] = [];
    expect(search(short, all, spec, [], (trials) => heard.push(trials))).toEqual(declared);
    expect(heard).toEqual([]);
  });
});
