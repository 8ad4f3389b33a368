import fc from 'fast-check';
import { BadInput } from '../bad-input.js';
import type { DaySum } from '../day-sums.js';
import { bet, eValue, logEValue, openWealth } from './betting.js';
import {
  type JudgeOptions,
  type JudgeState,
  type JudgeStep,
  meanGain,
  startJudge,
  typicalRows,
  updateJudge,
} from './judge.js';

const name = (d: number): string => new Date(Date.UTC(2013, 2, 1 + d)).toISOString().slice(0, 10);
const day = (d: number, mean: number, rows = 300): DaySum => ({
  day: name(d),
  rows,
  sum: Math.round(rows * mean * 1e9),
});

/** Judges days of the given means until a decision. */
function run(means: readonly number[], options: Partial<JudgeOptions> = {}, rows = 300): JudgeStep {
  let step: JudgeStep = { state: startJudge({ typicalRows: 300, ...options }), decision: 'continue', evidence: [] };
  for (const [d, mean] of means.entries()) {
    step = updateJudge(step.state, day(d, mean, rows));
    if (step.decision !== 'continue') break;
  }
  return step;
}
const constant = (mean: number, days = 28): number[] => new Array(days).fill(mean);

describe('the betting wealth', () => {
  it('is the average of products', () => {
    const wealth = [0.4, -0.5].reduce(bet, openWealth());
    const byHand = [0.1, 0.25, 0.5, 0.75, 0.95].reduce((s, l) => s + (1 + 0.4 * l) * (1 - 0.5 * l), 0) / 5;
    expect(eValue(wealth)).toBeCloseTo(byHand, 14);
  });

  it('stays a number for ever, both ways', () => {
    let [rich, poor] = [openWealth(), openWealth()];
    for (let i = 0; i < 20_000; i++) [rich, poor] = [bet(rich, 1), bet(poor, -1)];
    expect([logEValue(rich), logEValue(poor)].every(Number.isFinite)).toBe(true);
    expect(JSON.parse(JSON.stringify(rich))).toEqual(rich);
  });

  it('does not grow on average under the null, for any two payoffs whose mean is nought', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (u) => {
        expect((eValue(bet(openWealth(), u)) + eValue(bet(openWealth(), -u))) / 2).toBeCloseTo(1, 12);
      }),
      { seed: 8 },
    );
    expect(() => bet(openWealth(), -1.5)).toThrow(BadInput);
  });
});

describe('the judge', () => {
  it('promotes an equal challenger in about eleven days, a better one sooner', () => {
    const equal = run(constant(0));
    expect([equal.decision, equal.state.days]).toEqual(['promote', 11]);
    const better = run(constant(0.01));
    expect([better.decision, better.state.days]).toEqual(['promote', 6]);
  });

  it('stops a harmful challenger in nine days', () => {
    const harmful = run(constant(-0.08));
    expect([harmful.decision, harmful.state.days]).toEqual(['harm', 9]);
    expect(harmful.evidence.find((e) => e.test === 'harm')).toMatchObject({
      holds: true,
      threshold: 100,
      days: 9,
      rows: 2700,
    });
  });

  it('lets the mean gain decide at the limit, and says that the test did not', () => {
    const slightly = run(Array.from({ length: 28 }, (_, d) => (d % 2 ? 0.021 : -0.029)));
    expect([slightly.decision, slightly.state.days]).toEqual(['undecided-promote', 28]);
    expect(slightly.evidence.at(-1)).toMatchObject({
      test: 'good enough at the limit',
      holds: true,
      threshold: -0.005,
    });
    expect(run(constant(-0.007)).decision).toBe('undecided-stop');
  });

  it('promotes nobody through an outage: thin days earn thin margins', () => {
    expect(run(constant(0), {}, 3).decision).toBe('undecided-stop');
    expect(run(constant(0), {}, 0)).toMatchObject({ decision: 'undecided-stop', state: { days: 28, rows: 0 } });
    expect(run(constant(0), {}, 0).evidence.every((e) => Number.isFinite(e.statistic))).toBe(true);
  });

  it('counts a day once and stands by its decision', () => {
    const { state } = updateJudge(startJudge({ typicalRows: 300 }), day(1, 0.01));
    expect(updateJudge(state, day(1, 0.01)).state).toBe(state);
    expect(updateJudge(state, day(0, 0.01)).state).toBe(state);
    const done = run(constant(0)).state;
    expect(updateJudge(done, day(60, -1))).toMatchObject({ state: done, decision: 'promote' });
  });

  it('goes on from JSON as if never stopped', () => {
    const means = constant(0.002, 9).map((m, d) => m + (d % 3) * 0.01 - 0.01);
    let [kept, revived] = [startJudge({ typicalRows: 300 }), startJudge({ typicalRows: 300 })];
    for (const [d, mean] of means.entries()) {
      kept = updateJudge(kept, day(d, mean)).state;
      revived = updateJudge(JSON.parse(JSON.stringify(revived)) as JudgeState, day(d, mean)).state;
    }
    expect(revived).toEqual(kept);
  });

  it('has finite figures whatever it is fed, and never two opinions', () => {
    const fed = fc.array(fc.record({ rows: fc.nat(5000), sum: fc.integer({ min: -4e15, max: 4e15 }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(fed, fc.integer({ min: 1, max: 3000 }), (blocks, typical) => {
        let state = startJudge({ typicalRows: typical });
        for (const [d, block] of blocks.entries()) {
          const step = updateJudge(state, { day: name(d), ...block });
          state = step.state;
          for (const e of step.evidence)
            expect(Number.isFinite(e.statistic) && Number.isFinite(e.threshold)).toBe(true);
          const [promote, harm] = step.evidence;
          expect(promote.holds && harm.holds).toBe(false);
        }
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
      }),
      { seed: 9, numRuns: 60 },
    );
  });

  it('is monotone: a better day never lowers the wealth of promotion', () => {
    const gain = fc.double({ min: -0.1, max: 0.1, noNaN: true });
    fc.assert(
      fc.property(gain, gain, (a, b) => {
        const after = (mean: number): number =>
          logEValue(updateJudge(startJudge({ typicalRows: 300 }), day(0, mean)).state.promote);
        expect(after(Math.max(a, b))).toBeGreaterThanOrEqual(after(Math.min(a, b)));
      }),
      { seed: 10 },
    );
  });

  it('takes the median of the last closed days as typical', () => {
    const days = [5, 400, 300, 200, 100].map((rows, d) => ({ day: name(d), rows }));
    expect([typicalRows(days), typicalRows(days, 4), typicalRows([{ day: 'a', rows: 0 }])]).toEqual([200, 250, 1]);
    expect(() => typicalRows([])).toThrow('closed days before the rollout');
  });

  it('refuses options that break its bounds, and sums that order could change', () => {
    expect(() => startJudge({ typicalRows: 300, margin: 0.03 })).toThrow('margin < clip');
    expect(() => startJudge({ typicalRows: 0 })).toThrow(BadInput);
    expect(() => updateJudge(startJudge({ typicalRows: 300 }), { day: 'a', rows: 1, sum: 0.5 })).toThrow('nano-units');
    expect(meanGain(startJudge({ typicalRows: 300 }))).toBe(0);
  });
});
