/**
 * Diagnosis: how each feature, and the prediction, moved over the window's closed days against the champion's reference,
 * for the whole and for each slice; a pure function of day documents.
 *
 * I1  Nothing is told before a whole window has been counted against the present champion's reference.
 * I2  A slice is measured against the reference's rows of the same slice, and only with as many rows as a slice of the
 *     gate needs: that a slice differs from the whole is no movement.
 * I3  p-values take days as the unit (algorithms' sharesMoved): rows of a day depend on each other, and a mean over the
 *     last four weeks is hardly another one tomorrow.
 */
import {
  type BinLosses,
  binnedMoments,
  type DaySpread,
  jensenShannon,
  lossShare,
  mergeCounts,
  populationStability,
  type ReferenceHistogram,
  sharesMoved,
  wassersteinBinned,
} from '@driftloop/algorithms';
import { dayMs, Movement, own } from '@driftloop/contracts';
import { type ReadCounts, readCounts } from './count-bins.js';
import type { DayDocument } from './day-rows.js';
import type { ModelView, Promotion } from './view.js';

/** Every feature and slice, whether or not it moved; `q_value` and `moved` are drift-control's to say. `risen`: the loss has. */
export function movementsOf(view: ModelView, days: readonly DayDocument[], risen: boolean): Movement[] {
  const { training, timing } = view;
  const counted = countedDays(view, days);
  if (!training || counted.length < Math.max(2, timing.window)) return [];
  const read = counted.map((day) => readCounts(day.counts!));
  const whole = Object.keys(training.histograms).map((feature) =>
    ofWhole(training, feature, read, risen, memoryOf(view, feature)),
  );
  const slices = Object.keys(training.diagnosis?.slices ?? {}).flatMap((slice) => ofSlice(view, training, slice, read));
  return [...whole, ...slices].sort(byStrength);
}

/** Of some days those that were counted against the present champion's reference. */
export const countedDays = (view: ModelView, days: readonly DayDocument[]): DayDocument[] =>
  days.filter((day) => day.counts?.rows && day.counts.version === view.training?.version);

/** Moved ones first, then by PSI. */
export const byStrength = (a: Movement, b: Movement): number =>
  Number(b.moved) - Number(a.moved) || b.psi - a.psi || (keyOf(a) < keyOf(b) ? -1 : 1);

/** What names a movement of a model: "weight", "weight in depot=north". */
export const keyOf = ({ feature, slice }: Pick<Movement, 'feature' | 'slice'>): string =>
  slice ? `${feature} in ${slice}` : feature;

function ofWhole(
  training: Promotion,
  feature: string,
  read: readonly ReadCounts[],
  risen: boolean,
  memory: number,
): Movement {
  const histogram = training.histograms[feature];
  const daily = read.map(({ bins }) => own(bins, feature)!);
  const before = training.diagnosis && own(training.diagnosis.losses, feature);
  const lost = read.flatMap(({ losses }) => own(losses, feature) ?? []);
  const share = risen && before && lost.length ? lossShare(before, added(lost)).share : 0;
  return movement(
    feature,
    '',
    histogram,
    daily,
    training.diagnosis && own(training.diagnosis.spreads, feature),
    memory,
    bounded(share),
  );
}

/** I3: days that a feature looks back over, as the spec declares it. */
const memoryOf = (view: ModelView, feature: string): number => Math.max(1, (view.lookBack.get(feature) ?? 0) / dayMs);

/** I2 */
function ofSlice(view: ModelView, training: Promotion, slice: string, read: readonly ReadCounts[]): Movement[] {
  const references = training.diagnosis!.slices[slice];
  return Object.entries(references).flatMap(([feature, { counts, spread }]) => {
    const daily = read.flatMap(({ slices }) => {
      const counts = own(own(slices, slice) ?? {}, feature);
      return counts ? [counts] : [];
    });
    if (daily.length < read.length) return [];
    const histogram = { ...training.histograms[feature], counts };
    const found = movement(feature, slice, histogram, daily, spread, memoryOf(view, feature), 0);
    return found.rows >= view.spec.gate.sliceMinRows ? [found] : [];
  });
}

function movement(
  feature: string,
  slice: string,
  histogram: ReferenceHistogram,
  daily: (readonly number[])[],
  spread: DaySpread | undefined,
  memory: number,
  loss: number,
): Movement {
  const now = mergeCounts(...daily.map((counts) => ({ counts })));
  const { p, rows, days, distance } = sharesMoved(histogram, daily, spread, { memory });
  const numeric = histogram.kind === 'numeric';
  return Movement.fromPartial({
    ...{ feature, slice, rows, days, pValue: p, qValue: 1, moved: false, lossShare: loss },
    psi: populationStability(histogram, now),
    ks: numeric ? distance : 0,
    jensenShannon: jensenShannon(histogram, now),
    wasserstein: numeric ? wassersteinBinned(histogram, now) : 0,
    ...(numeric
      ? { reference: binnedMoments(histogram, histogram).mean, present: binnedMoments(histogram, now).mean }
      : categoryMoved(histogram, now.counts)),
  });
}

/** The category whose share has changed most, before and now. */
function categoryMoved(
  { categories, counts: before }: Extract<ReferenceHistogram, { kind: 'categorical' }>,
  now: readonly number[],
): { reference: number; present: number; note: string } {
  const at = mostChanged(before, now);
  const note = categories[at] ?? (at === categories.length ? '(other)' : '(missing)');
  return { reference: shareOf(before, at), present: shareOf(now, at), note };
}

/** The bin whose share has changed most, the first of equals. */
export function mostChanged(before: readonly number[], now: readonly number[]): number {
  const changes = before.map((_, bin) => Math.abs(shareOf(now, bin) - shareOf(before, bin)));
  return changes.indexOf(Math.max(...changes));
}

export const shareOf = (counts: readonly number[], bin: number): number =>
  counts[bin] /
  Math.max(
    1,
    counts.reduce((s, c) => s + c, 0),
  );

function added(parts: readonly BinLosses[]): BinLosses {
  const sum = (lists: readonly (readonly number[])[]) => mergeCounts(...lists.map((counts) => ({ counts }))).counts;
  return { rows: sum(parts.map(({ rows }) => rows)), loss: sum(parts.map(({ loss }) => loss)) };
}

/** A share of next to nothing says nothing, however large it is. */
const bounded = (share: number): number => Math.max(-10, Math.min(10, share));
