/**
 * The false-discovery rate, by simulation: streams of days whose rows share shocks, features that depend on each other,
 * two slices, windows that overlap. Small by default; with DRIFTLOOP_SLOW=1 large, with a table.
 */
import { type DaySpread, daySpread, mergeCounts, Random, sharesMoved } from '@driftloop/algorithms';
import { Movement } from '@driftloop/contracts';
import { keyOf } from './diagnosis.js';
import { stand, step } from './drift-control.js';
import type { DriftControl } from './loop-rows.js';

const slow = process.env.DRIFTLOOP_SLOW !== undefined;
const edges = [-1, 0, 1];
const rate = 0.05;
const window = 14;

interface Stream {
  readonly features: number;
  readonly days: number;
  /** Standard deviation of what the rows of a day share, partly over all features. */
  readonly shock: number;
  /** Correlation of a day's shock with that of the day before. */
  readonly lasting?: number;
  /** The first so many features are shifted by 1.2 from day `from` on. */
  readonly moved?: number;
  readonly from?: number;
}

interface Run {
  told: string[];
  checks: number;
}

/** Runs the control over a stream, daily; resolves to all that it told: "feature in slice" once each time. */
function run(seed: number, stream: Stream): Run {
  const { features, days, shock, lasting = 0, moved = 0, from = 0 } = stream;
  const random = new Random(seed);
  const names = Array.from({ length: features }, (_, f) => `f${f}`);
  const shocks = new Float64Array(features);
  const history = Array.from({ length: 33 + days }, (_, d) => {
    const common = random.normal(0, shock);
    for (let f = 0; f < features; f++)
      shocks[f] = lasting * shocks[f] + Math.sqrt(1 - lasting ** 2) * (0.7 * common + random.normal(0, 0.7 * shock));
    return names.map((_, f) => dayOf(random, shocks[f] + (f < moved && d >= 33 + from ? 1.2 : 0)));
  });
  const families = names.flatMap((feature, f) =>
    ['', 'depot=a', 'depot=b'].map((slice, s) => {
      const daily = history.map((ofDay) => ofDay[f][s]);
      const counts = mergeCounts(...daily.slice(0, 33).map((counts) => ({ counts }))).counts;
      return { feature, slice, daily, counts, spread: daySpread('numeric', daily.slice(0, 33)) };
    }),
  );
  const told: string[] = [];
  let control: DriftControl | undefined;
  const checks = days - window + 1;
  for (let t = 0; t < checks; t++) {
    const movements = families.map(({ feature, slice, daily, counts, spread }) =>
      movement(feature, slice, counts, daily.slice(33 + t, 33 + t + window), spread),
    );
    const before = new Set(control?.standing);
    control = step(movements, control, { champion: 'v1', rate, window }).control;
    told.push(...control.standing.filter((key) => !before.has(key)));
  }
  return { told, checks };
}

function movement(
  feature: string,
  slice: string,
  counts: readonly number[],
  daily: number[][],
  spread: DaySpread,
): Movement {
  const { p: pValue } = sharesMoved({ kind: 'numeric', edges, counts }, daily, spread);
  return Movement.fromPartial({ feature, slice, pValue });
}

/** Counts of the whole and of two slices. */
function dayOf(random: Random, mean: number): [number[], number[], number[]] {
  const [whole, ...slices] = [0, 1, 2].map(() => new Array(5).fill(0));
  for (let i = 0; i < 30; i++) {
    const bin = edges.filter((edge) => edge < mean + random.normal()).length;
    whole[bin]++;
    slices[i % 2][bin]++;
  }
  return [whole, slices[0], slices[1]];
}

/** Share of runs that tell anything; told per 100 checks. */
function falseAlarms(runs: number, stream: Stream) {
  const all = Array.from({ length: runs }, (_, seed) => run(seed, stream));
  const any = all.filter(({ told }) => told.length).length / runs;
  const checks = all.reduce((sum, { checks }) => sum + checks, 0);
  return { any, per100: (100 * all.reduce((sum, { told }) => sum + told.length, 0)) / checks };
}

/** Mean false share of what was told, and the share of what moved that was found. */
function discoveries(runs: number, stream: Stream & { moved: number }) {
  let [fdr, power] = [0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const { told } = run(seed, stream);
    const right = (key: string) => Number(key.slice(1).split(' ')[0]) < stream.moved;
    fdr += told.filter((key) => !right(key)).length / Math.max(1, told.length) / runs;
    power += new Set(told.filter(right)).size / (3 * stream.moved) / runs;
  }
  return { fdr, power };
}

describe('the control of false discoveries', () => {
  const still = { features: 6, days: 44, shock: 0.4 };

  it('tells nothing in nearly all stationary streams whose days share shocks', () => {
    expect(falseAlarms(15, still).any).toBeLessThanOrEqual(1 / 15);
  });

  it('finds nearly all that moves, and little else', () => {
    const { fdr, power } = discoveries(6, { ...still, moved: 2, from: 14 });
    expect(power).toBeGreaterThan(0.8);
    expect(fdr).toBeLessThanOrEqual(rate);
  });

  const one = (pValue: number) => [Movement.fromPartial({ feature: 'weight', pValue })];
  const options = { champion: 'v1', rate, window };

  it('tells a movement once, and again only after it has come back (I1)', () => {
    const levels: number[] = [];
    let control: DriftControl | undefined;
    const standing = [1e-9, 1e-9, 0.04, 1e-9, 0.5, 1e-9].map((p) => {
      control = step(one(p), control, options).control;
      levels.push(control.level);
      return control.standing.length;
    });
    expect(standing).toEqual([1, 1, 1, 1, 0, 1]);
    expect(control!.budget.discoveries).toEqual([1, 6]);
    expect(levels[1]).toBeLessThan(levels[0]);
  });

  it('grants no more within a window for what the same days have shown', () => {
    const twice = step(one(1e-9), step(one(1e-9), undefined, options).control, options);
    const once = step(one(0.9), step(one(0.9), undefined, options).control, options);
    expect(twice.control.level).toBe(once.control.level);
  });

  it('begins anew with another champion, spends nothing without a window, and at rate 0 tells nothing', () => {
    const first = step(one(1e-9), undefined, options);
    expect(first.movements[0]).toMatchObject({ moved: true, qValue: 1e-9 });
    expect(step(one(0.9), first.control, { ...options, champion: 'v2' }).control.budget.tests).toBe(1);
    expect(step([], first.control, options).control).toEqual(first.control);
    expect(step(one(1e-12), undefined, { ...options, rate: 0 }).movements[0].moved).toBe(false);
    expect(stand(one(0.9), first.control, 'v1').movements[0].moved).toBe(true);
  });

  it('has a state that survives JSON and is not changed', () => {
    const { control } = step(one(1e-9), undefined, options);
    const before = JSON.stringify(control);
    expect(step(one(0.01), JSON.parse(before), options)).toEqual(step(one(0.01), control, options));
    expect(JSON.stringify(control)).toBe(before);
  });

  it('orders by what moved, then by strength', () => {
    const movements = [
      Movement.fromPartial({ feature: 'a', pValue: 0.9, psi: 3 }),
      Movement.fromPartial({ feature: 'b', pValue: 1e-9, psi: 1 }),
      Movement.fromPartial({ feature: 'b', slice: 'depot=a', pValue: 1e-9, psi: 2 }),
    ];
    expect(step(movements, undefined, options).movements.map(keyOf)).toEqual(['b in depot=a', 'b', 'a']);
  });
});

(slow ? describe : describe.skip)('at length (DRIFTLOOP_SLOW=1)', () => {
  it('measures false alarms of stationary streams, and discoveries of shifted ones', () => {
    const wrong: string[] = [];
    for (const [shock, lasting] of [
      [0.2, 0],
      [0.5, 0],
      [0.5, 0.3],
      [0.5, 0.6],
    ]) {
      const stream = { features: 15, days: 74, shock, lasting };
      const { any, per100 } = falseAlarms(60, stream);
      const { fdr, power } = discoveries(15, { ...stream, moved: 4, from: 20 });
      const figures = `any ${any.toFixed(3)}, per 100 checks ${per100.toFixed(2)}; 4 of 15 moved: false ${fdr.toFixed(3)}, found ${power.toFixed(2)}`;
      const line = `shock ${shock}, lasting ${lasting}: stationary ${figures}`;
      process.stdout.write(`${line}\n`);
      // days whose shocks last are shown, not promised: 33 days of reference do not tell their correlation well enough
      if (lasting === 0 && (any > 0.06 || fdr > rate || power < 0.9)) wrong.push(line);
    }
    expect(wrong).toEqual([]);
  }, 900_000);
});
