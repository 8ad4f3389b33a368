/**
 * When it changed: ADWIN over the champion's closed days, on its mean loss and on single features. It dates what the
 * other tests have found and sounds nothing by itself.
 *
 * I1  Days are drawn to [0, 1] by their own range: ADWIN's bound asks for that, and only the date is wanted. It is a loose
 *     bound on so few values: at δ = .9 it still finds a change in .2% of 56 days without one (10% where each is half the
 *     day before), and one of four standard deviations after eight days and thirteen in 86%.
 * I2  ADWIN says whether; it stops dropping once the rest agrees well enough, so that the date is that of the cut which
 *     leaves the least squares.
 */
import { Adwin } from '@driftloop/algorithms';
import { type Movement, own } from '@driftloop/contracts';
import { type ReadCounts, readCounts } from './count-bins.js';
import type { DayDocument } from './day-rows.js';
import { countedDays, mostChanged, shareOf } from './diagnosis.js';
import type { ModelView } from './view.js';

/** How far back a change is looked for, days. */
export const datedDays = 56;

const options = { delta: 0.9, minLength: 3 };

interface Dated {
  readonly day: number;
  readonly x: number;
}

/** First instant of the first day of the newest mean, epoch ms; undefined where no two means can be told apart. */
export function changedAt(days: readonly Dated[]): number | undefined {
  const [low, high] = [Math.min(...days.map(({ x }) => x)), Math.max(...days.map(({ x }) => x))];
  if (days.length < 2 * options.minLength || !(high > low)) return undefined;
  const adwin = new Adwin(options);
  const dropped = days.map(({ x }) => adwin.update((x - low) / (high - low)) === 'drift').includes(true);
  return dropped ? days[bestCut(days.map(({ x }) => x))].day : undefined;
}

/** I2: the first index of the second part, each part at least `minLength` long: n0·n1·(μ0 − μ1)²/n is what a cut takes off the squares. */
function bestCut(values: readonly number[]): number {
  const n = values.length;
  const total = values.reduce((sum, x) => sum + x, 0);
  let [before, best, most] = [0, 0, -1];
  for (let cut = 1; cut <= n - options.minLength; cut++) {
    before += values[cut - 1];
    const gain = (cut * (n - cut) * (before / cut - (total - before) / (n - cut)) ** 2) / n;
    if (cut >= options.minLength && gain > most) [best, most] = [cut, gain];
  }
  return best;
}

/** When the champion's daily mean loss changed; its days in shadow count. */
export function lossChangedAt(view: ModelView, days: readonly DayDocument[]): number | undefined {
  const scored = days.flatMap(({ day, versions }) => {
    const own = versions.find(
      ({ version, role, rows }) => version === view.champion && role !== 'returned' && rows > 0,
    );
    return own ? [{ day, x: own.clippedLossNano / own.rows }] : [];
  });
  return changedAt(scored);
}

/** The leading movements with the date of their change, where there is one. */
export function dated(
  view: ModelView,
  movements: readonly Movement[],
  days: readonly DayDocument[],
  most = 5,
): Movement[] {
  const counted = countedDays(view, days).map(({ day, counts }) => ({ day, counts: readCounts(counts!) }));
  return movements.map((movement, i) => {
    const at = i < most && movement.moved ? changedAt(means(view, movement, counted)) : undefined;
    if (at === undefined) return movement;
    const since = `since ${new Date(at).toISOString().slice(0, 10)}`;
    return { ...movement, note: movement.note ? `${movement.note}, ${since}` : since };
  });
}

/** Of each day the mean rank among the reference's rows; for text the share of the category that moved most. */
function means(
  view: ModelView,
  { feature, slice }: Movement,
  days: readonly { day: number; counts: ReadCounts }[],
): Dated[] {
  const { histograms, diagnosis } = view.training!;
  const { kind } = histograms[feature];
  const before = slice ? diagnosis!.slices[slice][feature].counts : histograms[feature].counts;
  const daily = days.flatMap(({ day, counts: { bins, slices } }) => {
    const counts = own(slice ? (own(slices, slice) ?? {}) : bins, feature);
    return counts?.some((count) => count > 0) ? [{ day, counts }] : [];
  });
  const at = mostChanged(before, daily.at(-1)?.counts ?? before);
  const ranks = midRanks(before);
  const mean = (counts: readonly number[]) =>
    counts.reduce((sum, _, bin) => sum + ranks[bin] * shareOf(counts, bin), 0);
  return daily.map(({ day, counts }) => ({ day, x: kind === 'numeric' ? mean(counts) : shareOf(counts, at) }));
}

/** Share of the rows below the middle of each bin. */
function midRanks(counts: readonly number[]): number[] {
  let below = 0;
  return counts.map((_, bin) => {
    const share = shareOf(counts, bin);
    below += share;
    return below - share / 2;
  });
}
