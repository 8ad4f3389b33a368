/**
 * Poisoned windows: stretches of the year whose labels are spoilt, looked at by quarantine as each day closes. The gross
 * cases must all be set aside; what nobody has spoilt must not be. The champion is the one that would have answered: models
 * four weeks apart, each answering from two days after it has learned.
 */

import {
  type ModelScores,
  poisonedWindow,
  type QuarantineThresholds,
  Random,
  type RecordedDay,
} from '@driftloop/algorithms';
import { dayMs } from '@driftloop/contracts';
import { type Control, type Finding, share } from './control.js';
import type { Year } from './year.js';

/** Who reports outcomes: two of three rows come from one source, the rest from another. */
const sources = ['first', 'first', 'second'];

const gross = [
  { kind: 'every label inverted', flipped: 1 },
  { kind: 'three labels of four inverted', flipped: 0.75 },
  { kind: 'one source inverts every label', flipped: 1, source: 'second' },
];
const subtle = [
  { kind: 'half of the labels inverted', flipped: 0.5 },
  { kind: '30% inverted', flipped: 0.3 },
];

export const poisonedWindows: Control = {
  name: 'poisoned window',
  mustShow: 'gross cases quarantined 100%',
  async run({ seed, year, tell }) {
    tell('poisoned window: recording the year');
    const opened = await year();
    const record = await recorded(opened, seed);
    const control = poisonedWindow(record, opened.spec.spec.quarantine as QuarantineThresholds, {
      seed,
      poisons: [...gross, ...subtle],
    });
    const grossKinds = new Set(gross.map(({ kind }) => kind));
    const kinds = control.kinds.map(({ kind, found, trials, medianDays, poisonedDaysHeld, cleanDaysHeld }): Finding => {
      const range = grossKinds.has(kind) ? { atLeast: 1 } : {};
      const { showed, ...finding } = share(`${kind}: set aside`, Math.round(found * trials), trials, range);
      const held = `${percent(poisonedDaysHeld)} of its days and ${percent(cleanDaysHeld)} of those around it`;
      return { ...finding, showed: `${showed}, after ${medianDays} days; ${held}` };
    });
    const { falseStretches, days } = control;
    const none = `${falseStretches} stretches in ${days} days`;
    return [...kinds, { what: 'nothing spoilt: set aside', figure: falseStretches, showed: none, atMost: 0 }];
  },
};

const percent = (share: number): string => `${Math.round(100 * share)}%`;

/** The year as the loop would have recorded it: who answered what, and the label, day by day. */
export async function recorded(year: Year, seed: number, everyDays = 28): Promise<RecordedDay[]> {
  const { history, table } = year;
  const random = new Random(`${seed}/sources`);
  const models = year.models();
  const champions: ModelScores[] = [];
  for (const cutoff of year.cutoffs(everyDays, 2)) champions.push(await models.at(cutoff));
  return history.days
    .filter(({ start }) => start >= champions[0].cutoff + 2 * dayMs)
    .map(({ start, from, to }) => {
      const champion = champions.findLast(({ cutoff }) => start >= cutoff + 2 * dayMs)!;
      const rows = Array.from({ length: to - from }, (_, i) => ({
        p: champion.of(from + i),
        y: table.labels[from + i] as 0 | 1,
        source: sources[random.integer(sources.length)],
      }));
      return { day: start, rows };
    });
}
