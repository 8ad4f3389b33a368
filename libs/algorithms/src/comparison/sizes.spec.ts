/**
 * Sizes and powers by simulation: what the gate, the judge and the fast stop do when nothing, something or everything is wrong. Seeded, so each figure is
 * a fact; small by default, and large with DRIFTLOOP_SLOW=1, which prints the table.
 */
import { Random } from '../random.js';
import { type SimulatedDays, simulateDays } from './day-simulation.js';
import { startFastStop, updateFastStop } from './fast-stop.js';
import { type JudgeDecision, startJudge, updateJudge } from './judge.js';
import { compareBlocks, nonInferiority, pairedLoss, superiority } from './paired-blocks.js';
import { harmBySlice } from './slices.js';

const slow = process.env.DRIFTLOOP_SLOW !== undefined;
const share = (runs: number, happens: (random: Random) => boolean): number => {
  let count = 0;
  for (let i = 0; i < runs; i++) if (happens(new Random(i))) count++;
  return count / runs;
};
const shadow = { days: 28, shock: 0.015 };

interface Outcome {
  decision: JudgeDecision;
  days: number;
  better: boolean;
}

function judge(random: Random, days: SimulatedDays): Outcome {
  let state = startJudge({ typicalRows: 300 });
  let better = false;
  for (const day of simulateDays(random, days)) {
    const step = updateJudge(state, day);
    state = step.state;
    better ||= step.evidence.some((e) => e.test === 'better' && e.holds);
    if (step.decision !== 'continue') break;
  }
  return { decision: state.decision, days: state.days, better };
}

/** The share of each decision, the share that claimed superiority, and the median day of promotion. */
function judgeOften(runs: number, days: SimulatedDays): Record<string, number> {
  const table: Record<string, number> = { promote: 0, harm: 0, 'undecided-promote': 0, 'undecided-stop': 0, better: 0 };
  const promoted: number[] = [];
  for (let i = 0; i < runs; i++) {
    const outcome = judge(new Random(i), days);
    table[outcome.decision] += 1 / runs;
    if (outcome.better) table.better += 1 / runs;
    if (outcome.decision === 'promote') promoted.push(outcome.days);
  }
  return { ...table, medianDays: promoted.sort((a, b) => a - b)[promoted.length >> 1] ?? Number.NaN };
}

/**
 * Four days of three-hour blocks, six a day, rows answered by a champion that knows the odds (log loss .46) and a challenger trained on shuffled labels,
 * which says the base rate with noise; and the same for a twin of the champion with noise of its own.
 */
function stoppedInFourDays(random: Random, challenger: 'shuffled' | 'twin'): boolean {
  let state = startFastStop();
  for (let b = 0; b < 24; b++) {
    let sum = 0;
    const common = random.normal(0, 0.5);
    for (let i = 0; i < 50; i++) {
      const logit = -1.5 + common + random.normal(0, 1.2);
      const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
      const y = random.uniform() < sigmoid(logit) ? 1 : 0;
      const known = sigmoid(logit + random.normal(0, 0.2));
      const guess = sigmoid(challenger === 'twin' ? logit + random.normal(0, 0.2) : -1.2 + random.normal(0, 0.5));
      sum += pairedLoss(known, guess, y);
    }
    state = updateFastStop(state, { block: String(b).padStart(3, '0'), rows: 50, sum }).state;
  }
  return state.decision === 'harm';
}

describe('the gate by simulation', () => {
  it.each([7, 8, 14, 21])(
    'claims superiority of an equal challenger in 2 to 7%% of gates of %d days, where naive rows claim far more',
    (days) => {
      const runs = 2000;
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
    const size = share(600, (random) => {
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
  it('claims superiority in under 5% and harm in under 1% of A/A rollouts', () => {
    const quiet = judgeOften(1000, { ...shadow, mean: 0 });
    expect(quiet.better).toBeLessThanOrEqual(0.05);
    expect(quiet.harm).toBeLessThanOrEqual(0.01);
    expect(quiet.promote).toBeGreaterThan(0.8);
  });

  it('promotes a challenger on the boundary by the test in 2 to 6%', () => {
    const { promote } = judgeOften(1500, { ...shadow, mean: -0.01 });
    expect(promote).toBeGreaterThan(0.01);
    expect(promote).toBeLessThan(0.06);
  });

  it('promotes a fresh challenger in over 83%, in a median of 8 to 10 days', () => {
    const fresh = judgeOften(400, { ...shadow, mean: 0.003 });
    expect(fresh.promote).toBeGreaterThan(0.83);
    expect(fresh.medianDays).toBeGreaterThanOrEqual(8);
    expect(fresh.medianDays).toBeLessThanOrEqual(12);
  });

  it('stops a challenger that lost its labels, and promotes none', () => {
    const shuffled = judgeOften(400, { days: 28, mean: -0.07, shock: 0.05, noise: 0.3 });
    expect(shuffled.harm).toBeGreaterThan(0.9);
    expect(shuffled.promote + shuffled['undecided-promote']).toBe(0);
  });
});

describe('the fast stop by simulation', () => {
  it('stops shuffled labels in four days in over 90%, and stops no twin', () => {
    expect(share(150, (random) => stoppedInFourDays(random, 'shuffled'))).toBeGreaterThan(0.9);
    expect(share(150, (random) => stoppedInFourDays(random, 'twin'))).toBe(0);
  });
});

(slow ? describe : describe.skip)('at length (DRIFTLOOP_SLOW=1)', () => {
  it('measures the judge over shocks, tails and means', () => {
    const rows: string[] = [];
    for (const heavy of [false, true]) {
      for (const shock of [0.01, 0.015, 0.03, 0.045]) {
        for (const mean of [-0.01, 0, 0.003, 0.01]) {
          const t = judgeOften(4000, { days: 28, mean, shock, heavy });
          rows.push(`${heavy ? 't4' : 'normal'} shock ${shock} mean ${mean} ${JSON.stringify(t)}`);
          if (mean === 0) expect([t.better <= 0.05, t.harm <= 0.01]).toEqual([true, true]);
          if (mean === -0.01 && !heavy) expect(t.promote).toBeLessThan(0.06);
        }
      }
    }
    process.stdout.write(`${rows.join('\n')}\n`);
  }, 600_000);

  it('measures the gate over days, shocks and tails', () => {
    const rows: string[] = [];
    for (const heavy of [false, true]) {
      for (const days of [7, 8, 10, 14, 21]) {
        const gates = (level: number, mean: number): number =>
          share(
            10_000,
            (random) =>
              superiority(compareBlocks(simulateDays(random, { days, mean, shock: 0.015, heavy })), level).holds,
          );
        const kept = (mean: number): number =>
          share(
            10_000,
            (random) => nonInferiority(compareBlocks(simulateDays(random, { days, mean, shock: 0.015, heavy }))).holds,
          );
        rows.push(
          `${heavy ? 't4' : 'normal'} ${days} days: size ${gates(0.05, 0)}, non-inferior at 0 ${kept(0)}, at -.01 ${kept(-0.01)}, at .01 ${kept(0.01)}`,
        );
        expect(gates(0.05, 0)).toBeLessThan(0.07);
      }
    }
    process.stdout.write(`${rows.join('\n')}\n`);
  }, 600_000);
});
