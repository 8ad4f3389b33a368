import { auc } from '../metrics/auc.js';
import { Random } from '../random.js';
import { poisonedWindow, type RecordedDay, type WitnessRow } from './poisoned-window.js';
import { dayMs, type QuarantineThresholds, type Stretch, type WitnessDay } from './run-tests.js';
import { suspectDays } from './suspicion.js';
import { binnedAuc, mergeWitness, witnessBin, witnessOf } from './witness.js';

const thresholds: QuarantineThresholds = {
  ...{ days: 7, aucBelow: 0.5, calibrationGapAbove: 0.18, sourceGapAbove: 0.2, minRows: 500 },
};

/** Days of a calibrated champion: p of mean .25, an AUC of about .72. */
function calibratedDays(seed: string, days: number, rows = 300, sources = ['a']): RecordedDay[] {
  const random = new Random(seed);
  return Array.from({ length: days }, (_, d) => ({
    day: d * dayMs,
    rows: Array.from({ length: rows }, (_, i): WitnessRow => {
      const p = 1 / (1 + Math.exp(1.3 - 1.1 * random.normal()));
      return { p, y: random.uniform() < p ? 1 : 0, source: sources[i % sources.length] };
    }),
  }));
}

const flip = (rows: readonly WitnessRow[], of = '') =>
  rows.map((row) => (of === '' || row.source === of ? { ...row, y: (1 - row.y) as 0 | 1 } : row));
const sumsOf = ({ day, rows }: RecordedDay): WitnessDay => ({
  day,
  sources: [...Map.groupBy(rows, ({ source }) => source)].map(([source, own]) => witnessOf(source, own)),
});
const window = (record: RecordedDay[], spoilt: number[], of = '') =>
  record.map((one) => sumsOf(spoilt.includes(one.day / dayMs) ? { ...one, rows: flip(one.rows, of) } : one));

describe('the witness', () => {
  it('knows the AUC to within the error that it states', () => {
    for (const seed of ['1', '2', '3', '4', '5']) {
      const [{ rows }] = calibratedDays(seed, 1, 400);
      const found = binnedAuc(witnessOf('a', rows).bins);
      const scores = Float64Array.from(rows, ({ p }) => p);
      const labels = Uint8Array.from(rows, ({ y }) => y);
      expect(Math.abs(found.auc - auc(scores, labels))).toBeLessThanOrEqual(found.error);
      expect(found.error).toBeLessThan(0.02);
    }
  });

  it('adds up to the same in any order, and parts to the whole', () => {
    const [{ rows }] = calibratedDays('order', 1, 200);
    const whole = witnessOf('a', rows);
    expect(witnessOf('a', [...rows].reverse())).toEqual(whole);
    const parts = [witnessOf('x', rows.slice(0, 70)), witnessOf('y', rows.slice(70))];
    expect(mergeWitness('a', parts)).toEqual(whole);
  });

  it('takes probabilities of 0 and 1, and says nothing where there is one class', () => {
    expect([witnessBin(0), witnessBin(1)]).toEqual([0, 1023]);
    const { auc: none } = binnedAuc(witnessOf('a', [{ p: 0.2, y: 0 }]).bins);
    expect(none).toBeNaN();
    expect(
      suspectDays([{ day: 0, sources: [witnessOf('a', Array(900).fill({ p: 0.02, y: 0 }))] }], [], thresholds),
    ).toEqual([]);
  });
});

describe('suspicion', () => {
  const record = calibratedDays('week', 7);

  it('lets a calibrated year alone', () => {
    const { falseStretches, days } = poisonedWindow(calibratedDays('year', 365), thresholds, { seed: 1, poisons: [] });
    expect([falseStretches, days]).toEqual([0, 365]);
  });

  it('finds flipped days in two, and holds them and no other', () => {
    const [found, ...more] = suspectDays(window(record, [5, 6]), [], thresholds);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ source: '', days: [5 * dayMs, 6 * dayMs] });
    expect(found.evidence).toMatchObject({ holds: true, rows: 600, days: 2 });
  });

  it('says nothing of fewer rows than it was told', () => {
    expect(suspectDays(window(calibratedDays('few', 7, 60), [0, 1, 2, 3, 4, 5, 6]), [], thresholds)).toEqual([]);
  });

  it('does not ask again about what is covered, and leaves it out of the rest', () => {
    const days = window(record, [5, 6]);
    const [{ kind, sign, days: held }] = suspectDays(days, [], thresholds);
    const covered: Stretch = { id: 'x', kind, source: '', sign, days: held, growing: true };
    expect(suspectDays(days, [covered], thresholds)).toEqual([]);
    expect(suspectDays(days, [{ ...covered, growing: false }], thresholds)).toEqual([]);
  });

  it('lets a stretch grow by one day beside it, which alone would be too little', () => {
    const days = window(record, [4, 5, 6]);
    const covered: Stretch = { id: 'x', kind: 'auc', source: '', sign: 1, days: [4 * dayMs, 5 * dayMs], growing: true };
    const [joined] = suspectDays(days, [covered], thresholds);
    expect(joined).toMatchObject({ joins: 'x', days: [6 * dayMs] });
    expect(suspectDays(days, [{ ...covered, growing: false }], thresholds)).toEqual([]);
  });

  it('blames the source that is off, of two that differ, and nobody else', () => {
    const two = calibratedDays('two', 7, 700, ['a', 'b']);
    const found = suspectDays(window(two, [4, 5, 6], 'b'), [], thresholds);
    expect(found.map(({ kind, source }) => [kind, source])).toEqual([['source', 'b']]);
    expect(found[0].days).toEqual([4, 5, 6].map((d) => d * dayMs));
  });

  it('blames the source whose labels it ranks worse than chance, where flipping balanced ones moves no gap', () => {
    const random = new Random('balanced');
    const balanced = Array.from({ length: 7 }, (_, d): RecordedDay => {
      const rows = Array.from({ length: 700 }, (_, i): WitnessRow => {
        const p = random.uniform(0.15, 0.85);
        return { p, y: random.uniform() < p ? 1 : 0, source: i % 2 ? 'a' : 'b' };
      });
      return { day: d * dayMs, rows };
    });
    expect(suspectDays(window(balanced, []), [], thresholds)).toEqual([]);
    const [found, ...more] = suspectDays(window(balanced, [5, 6], 'b'), [], thresholds);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ kind: 'source', source: 'b', days: [5 * dayMs, 6 * dayMs] });
    expect(found.evidence.test).toBe('source_auc');
  });

  it('takes a shorter run for suspect only against a harder threshold', () => {
    const slight = (n: number) =>
      record.slice(0, n).map((one) => sumsOf({ ...one, rows: one.rows.map((row) => ({ ...row, p: row.p * 0.05 })) }));
    expect(suspectDays(slight(7), [], thresholds).map(({ kind }) => kind)).toEqual(['calibration']);
    expect(suspectDays(slight(2), [], thresholds)).toEqual([]);
  });
});

describe('the control of poisoned windows', () => {
  it('finds every gross poison in a calibrated year, and holds few clean days for it', () => {
    const year = calibratedDays('control', 180, 600, ['a', 'b']);
    const poisons = [
      { kind: 'flipped', flipped: 1 },
      { kind: 'three quarters', flipped: 0.75 },
      { kind: 'half', flipped: 0.5 },
      { kind: 'one source', flipped: 1, source: 'b' },
    ];
    const { kinds } = poisonedWindow(year, thresholds, { seed: 7, poisons });
    for (const { found, poisonedDaysHeld, cleanDaysHeld } of kinds) {
      expect(found).toBe(1);
      expect(poisonedDaysHeld).toBeGreaterThan(0.9);
      expect(cleanDaysHeld).toBeLessThan(0.02);
    }
  });

  it('finds nothing where nothing is poisoned, or the thresholds are at their extremes', () => {
    const year = calibratedDays('control', 60);
    const poisons = [{ kind: 'flipped', flipped: 1 }];
    const deaf = { ...thresholds, aucBelow: 0, calibrationGapAbove: 2, sourceGapAbove: 2 };
    expect(poisonedWindow(year, deaf, { seed: 7, poisons }).kinds[0].found).toBe(0);
  });
});
