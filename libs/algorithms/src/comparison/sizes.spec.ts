/**
 * Sizes and powers by simulation: what the gate, the judge and the fast stop do when nothing, something or everything is wrong. Seeded, so each figure is
 * a fact; small by default, and large with DRIFTLOOP_SLOW=1, which prints the table.
 */
import { Random } from '../random.js';
import { bet, eValue, openWealth } from './betting.js';
import { startFastStop, updateFastStop } from './fast-stop.js';
import { type JudgeDecision, startJudge, updateJudge } from './judge.js';
import { compareBlocks, nonInferiority, pairedLoss, superiority } from './paired-blocks.js';
import { harmBySlice } from './slices.js';
import { type SimulatedDays, simulateDays } from './testing/day-simulation.js';

const slow = process.env.DRIFTLOOP_SLOW !== undefined;
const share = (runs: number, happens: (random: Random) => boolean): number => {
  let count = 0;
  for (let i = 0; i < runs; i++) if (happens(new Random(i))) count++;
  return count / runs;
};
const shadow = { days: 28, shock: 0.015 };

/** The decision on one rollout, and its day. */
function judge(random: Random, days: SimulatedDays): { decision: JudgeDecision; days: number } {
  let state = startJudge({ typicalRows: 300 });
  for (const day of simulateDays(random, days)) state = updateJudge(state, day).state;
  return { decision: state.decision, days: state.days };
}

/** The share of each decision, and the median day of promotion. */
function judgeOften(runs: number, days: SimulatedDays): Record<JudgeDecision | 'medianDays', number> {
  const table = { continue: 0, promote: 0, harm: 0, 'undecided-promote': 0, 'undecided-stop': 0 };
  const promoted: number[] = [];
  for (let i = 0; i < runs; i++) {
    const outcome = judge(new Random(i), days);
    table[outcome.decision] += 1 / runs;
    if (outcome.decision === 'promote') promoted.push(outcome.days);
  }
  return { ...table, medianDays: promoted.sort((x, y) => x - y)[promoted.length >> 1] ?? Number.NaN };
}

/** Does the claim "better" (direction 1) or "harm" (−1) ever reach its level in 28 days, if no other claim ends the rollout first? */
function everClaims(random: Random, days: SimulatedDays, direction: 1 | -1, level: number): boolean {
  let wealth = openWealth();
  return simulateDays(random, days).some(({ sum }) => {
    const x = Math.max(-0.03, Math.min(0.03, sum / 1e9 / 300));
    wealth = bet(wealth, (direction * x) / 0.03);
    return eValue(wealth) >= level;
  });
}

/**
 * Four days of hourly blocks, eighteen a day, rows answered by a champion that knows the odds (log loss .46) and a challenger trained on shuffled labels,
 * which says the base rate with noise; and the same for a twin of the champion with noise of its own.
 */
function stoppedInFourDays(random: Random, challenger: 'shuffled' | 'twin'): boolean {
  let state = startFastStop();
  for (let b = 0; b < 72; b++) {
    let sum = 0;
    const common = random.normal(0, 0.5);
    for (let i = 0; i < 17; i++) {
      const logit = -1.5 + common + random.normal(0, 1.2);
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      const y = random.uniform() < sigmoid(logit) ? 1 : 0;
      const known = sigmoid(logit + random.normal(0, 0.2));
      const guess = sigmoid(challenger === 'twin' ? logit + random.normal(0, 0.2) : -1.2 + random.normal(0, 0.5));
      sum += pairedLoss(known, guess, y);
    }
    state = updateFastStop(state, { block: String(b).padStart(3, '0'), rows: 17, sum }).state;
  }
  return state.decision === 'harm';
}

/** 28 days of eighteen hourly blocks with a common shock of the day and one of the hour: is a challenger without harm stopped? */
function stoppedByDays(random: Random, shock: number): boolean {
  let state = startFastStop();
  for (let b = 0, day = 0; b < 28 * 18; b++) {
    if (b % 18 === 0) day = random.normal(0, shock);
    const rows = 10 + random.integer(13);
    const mean = day + random.normal(0, 0.02);
    const sum = Math.round(1e9 * (rows * mean + Math.sqrt(rows) * random.normal(0, 0.15)));
    state = updateFastStop(state, { block: String(b).padStart(3, '0'), rows, sum }).state;
  }
  return state.decision === 'harm';
}

describe('the gate by simulation', () => {
  it.each([7, 14, 21])(
    'claims superiority of an equal challenger in 2 to 7%% of gates of %d days, where naive rows claim far more',
    (days) => {
      const runs = 1000;
      let naive = 0;
      const size = share(runs, (random) => {
        const sums = simulateDays(random, { days, mean: 0, shock: 0.015 });
        const c = compareBlocks(sums);
        if (c.m / Math.sqrt((0.1 ** 2 + 0.015 ** 2) / c.rows) > 1.645) naive += 1 / runs;
        return superiority(c, 0.05).holds;
      });
      expect(size).toBeGreaterThan(0.02);
      expect(size).toBeLessThan(0.07);
      expect(naive).toBeGreaterThan(0.19);
    },
  );

  it('passes nine in ten equal challengers, more of the better, and few of the much worse', () => {
    const passed = (mean: number): number =>
      share(
        1000,
        (random) => nonInferiority(compareBlocks(simulateDays(random, { days: 10, mean, shock: 0.015 }))).holds,
      );
    const [better, equal, worse] = [passed(0.01), passed(0), passed(-0.02)];
    expect(equal).toBeGreaterThan(0.87);
    expect(equal).toBeLessThan(0.93);
    expect(better).toBeGreaterThan(0.98);
    expect(worse).toBeLessThan(0.02);
  });

  it('finds harm in some slice of a harmless challenger in at most 1.5% of gates', () => {
    const size = share(300, (random) => {
      const slices = Array.from({ length: 10 }, (_, s) => ({
        slice: `carrier=${s}`,
        days: simulateDays(random.fork(s), { days: 10, mean: 0, shock: 0.02, rows: 60 }),
      }));
      return harmBySlice(slices).some((e) => e.holds);
    });
    expect(size).toBeLessThan(0.015);
  });
});

describe('the judge by simulation', () => {
  it('claims superiority in at most 5% and harm in at most 1% of A/A rollouts, though asked every day for 28 days', () => {
    const equal = { ...shadow, mean: 0 };
    const better = share(1000, (random) => everClaims(random, equal, 1, 20));
    const harm = share(1000, (random) => everClaims(random, equal, -1, 100));
    expect([better > 0, better <= 0.05, harm <= 0.01]).toEqual([true, true, true]);
    expect(share(100, (random) => everClaims(random, { ...shadow, mean: 0.015 }, 1, 20))).toBeGreaterThan(0.8);
    expect(share(100, (random) => everClaims(random, { ...shadow, mean: -0.02 }, -1, 100))).toBeGreaterThan(0.8);
  });

  it('promotes a challenger on the boundary by the test in 1 to 6%, also where days vary beyond the clip', () => {
    const sizes = [0.015, 0.03, 0.045].map((shock) => judgeOften(600, { days: 28, shock, mean: -0.01 }).promote);
    expect(Math.min(...sizes)).toBeGreaterThan(0.01);
    expect(Math.max(...sizes)).toBeLessThan(0.06);
  });

  it('promotes an equal challenger by the test in over 75%, one better by .005 in over 95% and a median of at most 11 days', () => {
    const [equal, better] = [0, 0.005].map((mean) => judgeOften(400, { ...shadow, mean }));
    expect([equal.promote > 0.75, equal.harm <= 0.01, better.promote > 0.95, better.medianDays <= 11]).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  it('stops a challenger that lost its labels, and promotes none', () => {
    const shuffled = judgeOften(400, { days: 28, mean: -0.07, shock: 0.05, noise: 0.3 });
    expect(shuffled.harm).toBeGreaterThan(0.9);
    expect(shuffled.promote + shuffled['undecided-promote']).toBe(0);
  });
});

describe('the fast stop by simulation', () => {
  it('stops no harmless challenger where a day shifts it by .03 a row, and few where it does by .05', () => {
    expect(share(150, (random) => stoppedByDays(random, 0.03))).toBeLessThan(0.02);
    expect(share(150, (random) => stoppedByDays(random, 0.05))).toBeLessThan(0.1);
  });

  it('stops shuffled labels in four days in over 90%, and stops no twin', () => {
    expect(share(60, (random) => stoppedInFourDays(random, 'shuffled'))).toBeGreaterThan(0.9);
    expect(share(60, (random) => stoppedInFourDays(random, 'twin'))).toBe(0);
  });
});

(slow ? describe : describe.skip)('at length (DRIFTLOOP_SLOW=1)', () => {
  const show = (x: number): string => String(Number(x.toPrecision(3)));

  it('measures the judge over shocks, tails and means', () => {
    const lines: string[] = [];
    const wrong: string[] = [];
    for (const heavy of [false, true]) {
      for (const shock of [0.01, 0.015, 0.03, 0.045, 0.06]) {
        for (const mean of [-0.01, 0, 0.003, 0.01]) {
          const t = judgeOften(4000, { days: 28, mean, shock, heavy });
          const figures = Object.entries(t).map(([name, value]) => `${name} ${show(value)}`);
          const line = `${heavy ? 't4' : 'normal'} shock ${shock} mean ${mean}: ${figures.join(', ')}`;
          lines.push(line);
          if (mean === 0 && t.harm > 0.01) wrong.push(line);
          if (mean === -0.01 && t.promote > 0.06) wrong.push(line);
          if (mean === 0.01 && shock <= 0.015 && t.promote < 0.83) wrong.push(line);
        }
      }
    }
    process.stdout.write(`${lines.join('\n')}\n`);
    expect(wrong).toEqual([]);
  }, 600_000);

  it('measures what A/A rollouts claim in 28 days', () => {
    const lines: string[] = [];
    const wrong: string[] = [];
    for (const heavy of [false, true]) {
      for (const shock of [0.01, 0.015, 0.03, 0.045]) {
        const equal = { days: 28, mean: 0, shock, heavy };
        const better = share(4000, (random) => everClaims(random, equal, 1, 20));
        const harm = share(4000, (random) => everClaims(random, equal, -1, 100));
        const line = `${heavy ? 't4' : 'normal'} shock ${shock}: better ${show(better)}, harm ${show(harm)}`;
        lines.push(line);
        if (better > 0.05 || harm > 0.01) wrong.push(line);
      }
    }
    process.stdout.write(`${lines.join('\n')}\n`);
    expect(wrong).toEqual([]);
  }, 600_000);

  it('measures the gate over days and tails', () => {
    const lines: string[] = [];
    const wrong: string[] = [];
    for (const heavy of [false, true]) {
      for (const days of [7, 8, 10, 14, 21]) {
        const shares = [0, 0.01, -0.01].map((mean) => {
          const runs = Array.from({ length: 4000 }, (_, i) =>
            compareBlocks(simulateDays(new Random(i), { days, mean, shock: 0.015, heavy })),
          );
          return [superiority, nonInferiority].map((claim) => runs.filter((c) => claim(c).holds).length / runs.length);
        });
        const line = `${heavy ? 't4' : 'normal'} ${days} days at δ 0, .01, -.01: superior ${shares.map((x) => show(x[0]))}, non-inferior ${shares.map((x) => show(x[1]))}`;
        lines.push(line);
        if (shares[0][0] > 0.07 || shares[0][0] < 0.02) wrong.push(line);
      }
    }
    process.stdout.write(`${lines.join('\n')}\n`);
    expect(wrong).toEqual([]);
  }, 600_000);
});
