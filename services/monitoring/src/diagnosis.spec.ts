import { daySpread, Random, type ReferenceHistogram } from '@driftloop/algorithms';
import { parseModelSpec } from '@driftloop/contracts';
import type { DayDocument } from './day-rows.js';
import { keyOf, movementsOf } from './diagnosis.js';
import { day, specText, start } from './testing/world.js';
import type { ModelView } from './view.js';

const edges = [-1, 0, 1];
const kinds = ['a', 'b'];

interface Shape {
  /** Added to the weight of depot a, of depot b. */
  readonly shift?: readonly [number, number];
  readonly rows?: number;
  /** Loss of a row above the last edge, in thousandths; of the others 400. */
  readonly heavy?: number;
}

/** A day's counts: weights of two depots, normal around what the day's rows share, depot b heavier by nature. */
function someDay(random: Random, { shift = [0, 0], rows = 80, heavy = 400 }: Shape = {}) {
  const common = random.normal(0, 0.3);
  const blank = () => new Array(5).fill(0);
  const bins = { weight: blank(), depot: [0, 0, 0, 0] };
  const slices = { 'depot=a': { weight: blank() }, 'depot=b': { weight: blank() } };
  const losses = { weight: { rows: blank(), loss: blank() } };
  for (let i = 0; i < rows; i++) {
    const depot = random.integer(2);
    const x = common + depot + shift[depot] + random.normal();
    const bin = edges.filter((edge) => edge < x).length;
    bins.weight[bin]++;
    bins.depot[depot]++;
    slices[`depot=${kinds[depot]}` as 'depot=a'].weight[bin]++;
    losses.weight.rows[bin]++;
    losses.weight.loss[bin] += bin === 3 ? heavy : 400;
  }
  return { bins, slices, losses, rows };
}

const added = (lists: readonly (readonly number[])[]): number[] =>
  lists[0].map((_, k) => lists.reduce((sum, list) => sum + list[k], 0));

/** What a view knows of a champion, and days counted against it. */
function world(seed: number, shape: Shape = {}, before: Shape = {}) {
  const random = new Random(seed);
  const old = Array.from({ length: 30 }, () => someDay(random, before));
  const weights = old.map(({ bins }) => bins.weight);
  const histograms: Record<string, ReferenceHistogram> = {
    weight: { kind: 'numeric', edges, counts: added(weights) },
    depot: { kind: 'categorical', categories: kinds, counts: added(old.map(({ bins }) => bins.depot)) },
  };
  const ofSlice = (slice: 'depot=a' | 'depot=b') => {
    const daily = old.map(({ slices }) => slices[slice].weight);
    return { weight: { counts: added(daily), spread: daySpread('numeric', daily) } };
  };
  const diagnosis = {
    spreads: { weight: daySpread('numeric', weights) },
    slices: { 'depot=a': ofSlice('depot=a'), 'depot=b': ofSlice('depot=b') },
    losses: {
      weight: { rows: added(old.map((d) => d.losses.weight.rows)), loss: added(old.map((d) => d.losses.weight.loss)) },
    },
  };
  const { spec } = parseModelSpec(specText());
  const training = { version: 'v1', histograms, diagnosis };
  const view = { training, timing: { window: 14 }, spec, champion: 'v1', lookBack: new Map() } as unknown as ModelView;
  const days = Array.from({ length: 14 }, (_, i) => {
    const { rows, ...counted } = someDay(random, shape);
    const [bins, slices, losses] = [counted.bins, counted.slices, counted.losses].map((part) => JSON.stringify(part));
    return { day: start + i * day, counts: { version: 'v1', rows, bins, slices, losses } } as unknown as DayDocument;
  });
  return { view, days };
}

const found = (seed: number, shape: Shape = {}, risen = false) => {
  const { view, days } = world(seed, shape);
  return new Map(movementsOf(view, days, risen).map((movement) => [keyOf(movement), movement]));
};

describe('the diagnosis', () => {
  it('measures every feature for the whole, and for each slice with enough rows', () => {
    const all = found(1);
    expect([...all.keys()].sort()).toEqual(['depot', 'weight', 'weight in depot=a', 'weight in depot=b']);
    expect(all.get('weight')).toMatchObject({ rows: 1120, days: 14, moved: false, slice: '', feature: 'weight' });
    expect(found(1, { rows: 60 }).size).toBe(2);
  });

  it('finds a movement of one slice there, and less of it in the whole', () => {
    const all = found(2, { shift: [0.9, 0] });
    expect(all.get('weight in depot=a')!.pValue).toBeLessThan(1e-4);
    expect(all.get('weight in depot=b')!.pValue).toBeGreaterThan(0.05);
    expect(all.get('weight in depot=a')!.psi).toBeGreaterThan(all.get('weight')!.psi);
    expect(all.get('weight in depot=a')!.wasserstein).toBeGreaterThan(0.5);
    expect(all.get('weight in depot=a')!.ks).toBeGreaterThan(0.2);
    expect(all.get('weight in depot=a')!.jensenShannon).toBeGreaterThan(0.03);
  });

  it('takes a slice that is other than the whole by nature for no movement (I2)', () => {
    const all = found(3);
    expect(all.get('weight in depot=b')!.pValue).toBeGreaterThan(0.05);
    expect(all.get('weight in depot=b')!.psi).toBeLessThan(0.25);
  });

  it('says nothing before a whole window was counted against the present champion (I1)', () => {
    const { view, days } = world(4);
    expect(movementsOf(view, days.slice(1), false)).toEqual([]);
    const other = days.map((one, i) => (i ? one : { ...one, counts: { ...one.counts!, version: 'v0' } }));
    expect(movementsOf(view, other, false)).toEqual([]);
  });

  it('is sure of nothing about a feature that looks back as far as the window (I3)', () => {
    const { view, days } = world(5, { shift: [0.9, 0.9] });
    const p = () => movementsOf(view, days, false).find((movement) => keyOf(movement) === 'weight')!.pValue;
    expect(p()).toBeLessThan(1e-4);
    Object.assign(view, { lookBack: new Map([['weight', 28 * day]]) });
    expect(p()).toBeGreaterThan(0.1);
  });

  it('says which share of a rise in loss falls on the bins that grew', () => {
    const heavy = { shift: [0.9, 0.9], heavy: 900 } as const;
    expect(found(6, heavy, true).get('weight')!.lossShare).toBeCloseTo(1, 1);
    expect(found(6, heavy, false).get('weight')!.lossShare).toBe(0);
    expect(found(6, heavy, true).get('weight in depot=a')!.lossShare).toBe(0);
  });

  it('names the category that moved most, with its share before and now', () => {
    const { view, days } = world(7);
    const skewed = days.map((one) => {
      const bins = { ...JSON.parse(one.counts!.bins), depot: [72, 8, 0, 0] };
      return { ...one, counts: { ...one.counts!, bins: JSON.stringify(bins) } };
    });
    const [strongest] = movementsOf(view, skewed, false);
    expect(strongest).toMatchObject({ feature: 'depot', note: 'a', present: 0.9, ks: 0, wasserstein: 0 });
    expect(strongest.reference).toBeCloseTo(0.5, 1);
  });

  it('gives the same whatever the order of the rows that were counted, and changes no day', () => {
    const { view, days } = world(8);
    const before = JSON.stringify(days);
    const once = movementsOf(view, days, true);
    expect(movementsOf(view, JSON.parse(before), true)).toEqual(once);
    expect(JSON.stringify(days)).toBe(before);
  });
});
