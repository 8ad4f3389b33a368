/**
 * PSI of each feature and of the prediction over the window's closed days, against the champion's reference.
 *
 * Rows of a day share weather and congestion: what two samples of one distribution show by chance is reckoned from how
 * the days differ, not from the number of rows. To first order PSI = Σ (a − e)²/e, so that chance adds
 * Σ Var(a)/e, with Var(a) the variance of the days' shares over their number.
 */
import { mergeCounts, populationStability, type ReferenceHistogram } from '@driftloop/algorithms';
import type { Evidence } from '@driftloop/contracts';
import type { DayDocument } from './days.documents.js';
import type { ModelView } from './view.js';

/** One piece of evidence a feature; nothing before a whole window has been counted against the present champion's reference. */
export function stability(view: ModelView, days: readonly DayDocument[]): Partial<Evidence>[] {
  const { training, timing, spec } = view;
  const counted = days.filter((day) => day.counts?.version === training?.version && day.counts?.rows);
  if (!training || counted.length < Math.max(2, timing.window)) return [];
  const bins = counted.map((day) => JSON.parse(day.counts!.bins) as Record<string, number[]>);
  const rows = counted.reduce((sum, day) => sum + day.counts!.rows, 0);
  return Object.entries(training.histograms).map(([subject, histogram]) => {
    const daily = bins.map((day) => day[subject]);
    const statistic = populationStability(histogram, mergeCounts(...daily.map((counts) => ({ counts }))));
    const noise = dayNoise(histogram, daily);
    const threshold = spec.monitoring.psi.warnAt + 2 * noise;
    const note = `of which chance between days ${noise.toPrecision(2)}`;
    return {
      test: 'psi',
      subject,
      statistic,
      threshold,
      holds: statistic >= threshold,
      rows,
      days: counted.length,
      note,
    };
  });
}

/** What PSI shows on average where nothing has moved, from the counts of at least two days. */
export function dayNoise(reference: ReferenceHistogram, daily: readonly (readonly number[])[]): number {
  const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
  const sizes = daily.map(total);
  const rows = total(sizes);
  const expected = total(reference.counts) + 0.5 * reference.counts.length;
  let noise = 0;
  for (let bin = 0; bin < reference.counts.length; bin++) {
    const share = total(daily.map((counts) => counts[bin])) / rows;
    // squared deviations of day sums, as in the paired blocks: large days count for more
    const squares = daily.reduce((sum, counts, d) => sum + (counts[bin] - share * sizes[d]) ** 2, 0);
    const variance = (squares * daily.length) / (daily.length - 1) / rows ** 2;
    noise += variance / ((reference.counts[bin] + 0.5) / expected);
  }
  return noise;
}
