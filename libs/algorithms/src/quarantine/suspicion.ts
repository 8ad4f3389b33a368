/**
 * Which closed days are suspect: their labels contradict what the champion and the other sources say.
 *
 * Three tests over the trailing `days` closed days, on what is not set aside already:
 *   auc          the champion ranks worse than `aucBelow`
 *   calibration  |mean label − mean probability| is above `calibrationGapAbove`
 *   source       one source's gap differs from the others' by more than `sourceGapAbove`, or the champion ranks this source's
 *                labels worse than `aucBelow` and the others' not
 * Thresholds are for `days` days. Poison should not have to wait for a week of it, so every shorter run of newest days is
 * looked at too, against a harder threshold: gaps widen by √(days/k) for k days, as the spread of a mean does, and the AUC
 * must lie below by three standard errors of no ranking at all (Mann & Whitney 1947). The shortest run that is suspect is
 * set aside, less its oldest days that are innocent by themselves; days beside it join where they cross a plain threshold
 * (the ranking by one standard error), one by one or two together.
 *
 * I1  A pure function of integer sums; days walk in order. Looked at once a day as it closes, the same days give the same
 *     answer however many close at one tick.
 * I2  What is set aside, or was let in by a person, is in no later statistic.
 */
import {
  datesOf,
  dayMs,
  plainTests,
  type QuarantineThresholds,
  type Stretch,
  type Suspicion,
  testRun,
  type WitnessDay,
} from './run-tests.js';

/** What of a window (its newest days last, at most `days` of them) is suspect beyond what is covered already. */
export function suspectDays(
  window: readonly WitnessDay[],
  covered: readonly Stretch[],
  thresholds: QuarantineThresholds,
): Suspicion[] {
  const found: Suspicion[] = [];
  const stretches = [...covered];
  const take = (suspicion: Suspicion) => {
    found.push(suspicion);
    stretches.push({ ...suspicion, id: suspicion.joins ?? '', growing: false });
  };
  for (const stretch of covered.filter(({ growing }) => growing)) {
    const joined = neighbours(stretch, freeOf(window, stretches), thresholds);
    if (joined) take(joined);
  }
  for (;;) {
    const free = freeOf(window, stretches);
    const core = firstSuspicion(free, window.length ? window[window.length - 1].day : 0, thresholds);
    if (!core) return found;
    take(grown(core, free, thresholds));
  }
}

/** A suspicion with the days beside it that cross the plain threshold. */
function grown(core: Suspicion, free: readonly WitnessDay[], thresholds: QuarantineThresholds): Suspicion {
  const more = neighbours({ ...core, id: '', growing: true }, free, thresholds);
  return more ? { ...core, days: [...core.days, ...more.days].sort((a, b) => a - b) } : core;
}

/** A suspicion without the oldest days that do not cross the plain threshold by themselves: they only filled the run up. */
function trimmed(core: Suspicion, run: readonly WitnessDay[], t: QuarantineThresholds): Suspicion {
  const stretch = { ...core, id: '', growing: true };
  const days = run.filter(({ day }) => core.days.includes(day));
  while (days.length > 1 && !crosses(stretch, days.slice(0, 1), t) && crosses(stretch, days.slice(1), t)) days.shift();
  return { ...core, days: datesOf(days) };
}

/** The days with the sums that no stretch covers (I2). */
function freeOf(window: readonly WitnessDay[], stretches: readonly Stretch[]): WitnessDay[] {
  return window.map(({ day, sources }) => {
    const over = stretches.filter(({ days }) => days.includes(day));
    if (over.some(({ source }) => source === '')) return { day, sources: [] };
    return { day, sources: sources.filter(({ source }) => !over.some((stretch) => stretch.source === source)) };
  });
}

function firstSuspicion(free: readonly WitnessDay[], newest: number, t: QuarantineThresholds): Suspicion | undefined {
  for (let k = 1; k <= t.days; k++) {
    const run = free.filter(({ day, sources }) => day > newest - k * dayMs && sources.length);
    const n = run.length; // days that say something: one of a week whose others are set aside is one day
    const found = n ? testRun(run, n, t) : undefined;
    if (found) return trimmed(found, run, t);
  }
  return undefined;
}
/** The free days beside a stretch that cross a plain threshold: one, or two together; and so on. */
function neighbours(
  stretch: Stretch,
  free: readonly WitnessDay[],
  thresholds: QuarantineThresholds,
): Suspicion | undefined {
  const byDay = new Map(free.map((day) => [day.day, day]));
  const joined: WitnessDay[] = [];
  for (const step of [-dayMs, dayMs]) {
    let edge = step < 0 ? Math.min(...stretch.days) : Math.max(...stretch.days);
    for (;;) {
      const group = [1, 2]
        .map((size) => Array.from({ length: size }, (_, i) => byDay.get(edge + (i + 1) * step)))
        .find(
          (days) => days.every((day) => day?.sources.length) && crosses(stretch, days as WitnessDay[], thresholds),
        ) as WitnessDay[];
      if (!group) break;
      joined.push(...group);
      edge += group.length * step;
    }
  }
  if (!joined.length) return undefined;
  const days = joined.sort((a, b) => a.day - b.day);
  const tests = plainTests(stretch, days, thresholds);
  const { crossed: _crossed, ...figures } = tests.find(({ crossed }) => crossed) ?? tests[0];
  const note = 'beside a stretch that is set aside';
  const dates = { days: datesOf(days), over: datesOf(days) };
  return {
    ...{ kind: stretch.kind, source: stretch.source, sign: stretch.sign, ...dates, joins: stretch.id },
    evidence: { ...figures, subject: stretch.source, holds: true, days: days.length, note },
  };
}

/** Whether days cross a plain threshold as a stretch does; too few rows tell nothing. */
function crosses(stretch: Stretch, days: readonly WitnessDay[], t: QuarantineThresholds): boolean {
  return plainTests(stretch, days, t).some(
    ({ crossed, rows }) => crossed && rows >= (days.length * t.minRows) / t.days,
  );
}
