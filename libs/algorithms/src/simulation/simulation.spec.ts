/** The simulated loop on matrices small enough to follow by hand, and its laws. */
import { Random } from '../random.js';
import {
  bySchedule,
  calendarTimes,
  DAY_MS as DAY,
  figuresOf,
  History,
  type LoopRules,
  ModelScores,
  meanInterval,
  randomTimes,
  runLoop,
  type SimulatedRun,
  simulate,
  type Trainings,
} from './index.js';
import { byPolicy } from './opening.js';

const HOUR = 3_600_000;
const START = Date.UTC(2030, 0, 1);
const PER_DAY = 10;

/** `days` days of ten questions an hour apart from 06:00, labels known two hours after; every other label is 1. */
function historyOf(days: number): History {
  const rows = days * PER_DAY;
  const dayOf = (row: number) => START + Math.floor(row / PER_DAY) * DAY;
  const questionTimes = Float64Array.from({ length: rows }, (_, row) => dayOf(row) + (5 + (row % PER_DAY)) * HOUR);
  return new History(
    {
      labels: Uint8Array.from({ length: rows }, (_, row) => row % 2),
      questionTimes,
      knownAt: questionTimes.map((time) => time + 3 * HOUR),
      cohorts: Float64Array.from({ length: rows }, (_, row) => dayOf(row)),
    },
    { lead: HOUR, closing: DAY + 6 * HOUR, censoring: DAY + 24 * HOUR },
  );
}

const rules: LoopRules = {
  tick: HOUR,
  check: DAY,
  windowDays: 3,
  policy: { any: [{ growth: { atLeast: 0.5 } }], cooldownDays: 4, minFreshLabels: 20 },
  training: 6 * HOUR,
  gate: { enabled: true, confidence: 0.9, minDays: 2, minRows: 20, sliceMinRows: 500 },
  shadow: { margin: 0.01, clip: 0.03, promoteAt: 20, harmAt: 100, limitDays: 28 },
  canary: { percent: 10, duration: DAY, minPredictions: 1 },
  deadlines: { shadow: 32 * DAY, canary: 6 * DAY },
};

/** Says `sureness(cutoff)` of the label that comes true. */
function trainingsOf(history: History, sureness: (cutoff: number) => number): Trainings & { asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    embargo: (knowledge, champion) => {
      const closed = history.closedBy(knowledge, 2).map((day) => day.start);
      if (closed.length < 2 || closed[0] < champion) return undefined;
      return { days: closed, twinCutoff: closed[0] - HOUR };
    },
    model: async (cutoff) => {
      asked.push(cutoff);
      const first = history.rowAt(cutoff - HOUR);
      const { labels } = history.recorded;
      const p = sureness(cutoff);
      const scores = Float32Array.from(labels.subarray(first), (y) => (y ? p : 1 - p));
      return new ModelScores(history, cutoff, first, scores);
    },
  };
}

/** The check that follows the closing of day d (from 0). */
const check = (d: number) => START + (d + 1) * DAY + 6 * HOUR;

describe('a simulated loop', () => {
  it('takes each step at its time: training, gate, judged days, canary, a tick a hop', async () => {
    const history = historyOf(40);
    const trainings = trainingsOf(history, (cutoff) => (cutoff > check(9) + DAY ? 0.7 : 0.6));
    const run = await runLoop(history, rules, trainings, check(9), byPolicy(history, rules));
    // Days 0 to 9, 100 labels, were known at the first training; 50 fresh ones are there with day 14's closing.
    const [cycle] = run.cycles;
    const opened = check(14);
    // Trained 6 h later, gated and in shadow a tick after; day 16 is the first whose first question comes after.
    const shadowAt = opened + 7 * HOUR;
    // A gain of ln(.7/.6) = .154 is clipped to .03 a day: payoffs of 11/8, so E is 11.7 after 4 days and 23.9 after 5.
    const judged = START + (16 + 5) * DAY + 6 * HOUR;
    expect(cycle).toMatchObject({
      ...{ signal: 'growth', outcome: 'promoted', opened, shadowAt, judgedDays: 5 },
      canaryAt: judged + HOUR,
      promotedAt: judged + HOUR + DAY + HOUR,
      closedAt: judged + HOUR + DAY + 2 * HOUR,
    });
    expect(run.served.map(({ since }) => since)).toEqual([check(9) + 2 * HOUR, ...promotions(run)]);
  });

  it('gives callers the champion, and a tenth of them the canary', async () => {
    const history = historyOf(40);
    const trainings = trainingsOf(history, (cutoff) => (cutoff > check(10) ? 0.8 : 0.6));
    const run = await runLoop(history, rules, trainings, check(9), bySchedule([check(20)]));
    const [cycle] = run.cycles;
    const { questionTimes } = history.recorded;
    const promoted = history.rowAt(cycle.promotedAt as number);
    const first = history.rowAt(run.served[0].since);
    const canary = questionTimes.filter(
      (time) => time >= (cycle.canaryAt as number) && time < (cycle.promotedAt as number),
    );
    const loss = (old: number, renewed: number) => -(old * Math.log(0.6) + renewed * Math.log(0.8)) / (old + renewed);
    const found = figuresOf(history, run, 0);
    expect(found.rows).toBe(history.rows - first);
    expect(found.logLoss).toBeCloseTo(loss(promoted - first, history.rows - promoted), 6);
    const all = figuresOf(history, run, 100);
    expect(all.logLoss).toBeCloseTo(loss(promoted - first - canary.length, history.rows - promoted + canary.length), 6);
    expect(found.auc).toBe(1);
  });

  it('refuses at the gate what is worse, and tries again only with fresh labels and after the cooldown', async () => {
    const history = historyOf(40);
    const trainings = trainingsOf(history, (cutoff) => (cutoff > check(9) ? 0.55 : 0.6));
    const run = await runLoop(history, rules, trainings, check(9), byPolicy(history, rules));
    expect(run.cycles.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'refused', 'refused']);
    expect(run.cycles.map(({ opened }) => (opened - run.cycles[0].opened) / DAY)).toEqual([0, 4, 8, 12, 16]);
    expect(run.served).toHaveLength(1);
  });

  it('stops after as many failures in a row as the breaker allows', async () => {
    const history = historyOf(40);
    const trainings = trainingsOf(history, (cutoff) => (cutoff > check(9) ? 0.55 : 0.6));
    const strict = { ...rules, policy: { ...rules.policy, breakerAfter: 2 } };
    const run = await runLoop(history, strict, trainings, check(9), byPolicy(history, strict));
    expect(run.cycles).toHaveLength(2);
  });

  it('trains for a calibration gap that grew since the champion answers', async () => {
    const history = historyOf(40);
    const { questionTimes } = history.recorded;
    const shift = check(20);
    const trainings: Trainings = {
      ...trainingsOf(history, () => 0.6),
      // The first model says too little from a day on; a later one does not.
      model: async (cutoff) => {
        const first = history.rowAt(cutoff - HOUR);
        const p = (row: number) => (cutoff === check(9) && questionTimes[row] > shift ? 0.2 : 0.5);
        return new ModelScores(
          history,
          cutoff,
          first,
          Float32Array.from({ length: history.rows - first }, (_, i) => p(first + i)),
        );
      },
    };
    const policy = { any: [{ calibrationGap: { atLeast: 0.05, z: 1 } }], cooldownDays: 4, minFreshLabels: 20 };
    const gapRules = { ...rules, policy };
    const run = await runLoop(history, gapRules, trainings, check(9), byPolicy(history, gapRules));
    expect(run.cycles[0]).toMatchObject({ signal: 'calibrationGap', outcome: 'promoted' });
    // Day 21's questions follow the shift; day 20's had come before it, but for day 21's own morning.
    expect(run.cycles[0].opened).toBe(check(21));
    expect(run.cycles).toHaveLength(1);
  });

  it('never uses what was not known: later rows change no earlier decision', async () => {
    const [short, long] = [historyOf(30), historyOf(40)];
    const openings: number[][] = [];
    for (const history of [short, long]) {
      const trainings = trainingsOf(history, (cutoff) => 0.6 + (cutoff - START) / (400 * DAY));
      const run = await runLoop(history, rules, trainings, check(9), byPolicy(history, rules));
      openings.push(run.cycles.map(({ opened }) => opened));
    }
    expect(openings[1].slice(0, openings[0].length)).toEqual(openings[0]);
    expect(openings[1].length).toBeGreaterThan(openings[0].length);
  });
});

const promotions = ({ cycles }: SimulatedRun) => cycles.flatMap(({ promotedAt }) => promotedAt ?? []);

describe('history', () => {
  it('counts fresh labels of closed days, and late ones once their day is censored', () => {
    const { recorded, times } = historyOf(4);
    const late = recorded.knownAt.slice();
    late[9] = START + DAY + 10 * HOUR; // after day 0's closing, before its censoring
    const history = new History({ ...recorded, knownAt: late }, times);
    expect(history.freshAt(check(0), 0)).toBe(9);
    expect(history.freshAt(START + 2 * DAY - 1, 0)).toBe(9);
    expect(history.freshAt(START + 2 * DAY, 0)).toBe(10);
    expect(history.freshAt(START + 2 * DAY, START + 10 * HOUR)).toBe(7);
  });

  it('refuses rows that are not sorted', () => {
    const { recorded, times } = historyOf(2);
    expect(() => new History({ ...recorded, questionTimes: recorded.questionTimes.slice().reverse() }, times)).toThrow(
      'sort',
    );
  });
});

describe('schedules', () => {
  it('cut the span into equal parts, or draw from it', () => {
    expect(calendarTimes(0, 40, 3)).toEqual([10, 20, 30]);
    const drawn = randomTimes(10, 20, 50, new Random(1));
    expect(drawn).toEqual([...drawn].sort((a, b) => a - b));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...drawn)).toBeLessThan(20);
  });

  it('wait while a cycle is open, and until the gate could judge', async () => {
    const history = historyOf(60);
    const trainings = trainingsOf(history, (cutoff) => 0.6 + (cutoff - START) / (400 * DAY));
    const run = await runLoop(history, rules, trainings, check(9), bySchedule([check(9) + HOUR, check(9) + 2 * HOUR]));
    expect(run.cycles).toHaveLength(2);
    // Days 11 and 12 are the first two that begin after the champion's cutoff, on day 10.
    expect(run.cycles[0].opened).toBe(check(12));
    expect(run.cycles[1].opened).toBeGreaterThanOrEqual(run.cycles[0].closedAt);
  });
});

describe('the table', () => {
  const table = async (sureness: (cutoff: number) => number) => {
    const history = historyOf(80);
    const starts = [check(9), check(11), check(13)];
    return simulate(history, rules, trainingsOf(history, sureness), { starts, seed: 1 });
  };

  it('sets policy, calendar, random and frozen side by side, paired by start', async () => {
    const rows = await table((cutoff) => 0.6 + (cutoff - START) / (400 * DAY));
    const [policy, calendar, random, frozen] = rows;
    expect(rows.map(({ name }) => name)).toEqual(['policy', 'calendar', 'random', 'frozen']);
    expect(calendar.trainings).toBeCloseTo(policy.trainings, 0);
    expect(random.trainings).toBeCloseTo(policy.trainings, 0);
    expect(policy.difference).toEqual({ mean: 0, low: 0, high: 0 });
    expect(frozen.difference.mean).toBeCloseTo(frozen.logLoss.mean - policy.logLoss.mean, 12);
    expect(frozen.difference.low).toBeGreaterThan(0);
  });

  it('finds no difference where every model is the same', async () => {
    for (const { difference } of await table(() => 0.6)) expect(Math.abs(difference.mean)).toBeLessThan(1e-12);
  });

  it('is the same for the same seed', async () => {
    const sureness = (cutoff: number) => 0.6 + 0.1 * Math.sin(cutoff / DAY);
    expect(await table(sureness)).toEqual(await table(sureness));
  });
});

it('gives the mean with Student’s interval', () => {
  // s = 1, n = 3: 4.303 / √3 either way.
  const { mean, low, high } = meanInterval([1, 2, 3]);
  expect(mean).toBe(2);
  expect([low, high]).toEqual([expect.closeTo(2 - 2.4841, 3), expect.closeTo(2 + 2.4841, 3)]);
});
