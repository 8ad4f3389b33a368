import { logLossNano } from '@driftloop/algorithms';
import { DAY, START, tableOf } from '../testing/table.js';
import { parcels } from '../testing/training.js';
import { dayScores, featureScores, sliceScores } from './compare.js';

const table = tableOf({ days: 6, perDay: 50 });
const all = Int32Array.from({ length: table.rows }, (_, row) => row);
const embargo = {
  start: START + 2 * DAY,
  days: [2, 3, 4, 5].map((d) => START + d * DAY),
  rows: all.slice(100),
  twinRows: all.slice(0, 100),
};
const constant = (p: number) => new Float64Array(embargo.rows.length).fill(p);
const perfect = Float64Array.from(embargo.rows, (row) => (table.labels[row] ? 0.99 : 0.01));

describe('the comparison', () => {
  it('sums whole nano-units a day, positive where the twin is better', () => {
    const days = dayScores(table, embargo, { champion: constant(0.3), twin: perfect });
    expect(days.map(({ day, rows }) => [day!.getTime(), rows])).toEqual(embargo.days.map((day) => [day, 50]));
    for (const day of days) {
      const positives = Array.from(embargo.rows).filter(
        (row) => table.cohorts[row] === day.day!.getTime() && table.labels[row],
      ).length;
      expect(day.championLossNano).toBe(positives * logLossNano(0.3, 1) + (50 - positives) * logLossNano(0.3, 0));
      expect(day.lossDifferenceNano).toBe(day.championLossNano - day.challengerLossNano);
      expect(day.lossDifferenceNano).toBeGreaterThan(0);
    }
    const reversed = dayScores(table, embargo, { champion: perfect, twin: constant(0.3) });
    expect(reversed.map((day) => day.lossDifferenceNano)).toEqual(days.map((day) => -day.lossDifferenceNano));
  });

  it('sums slices of enough rows apart, missing values left out', () => {
    const spec = structuredClone(parcels());
    spec.spec.gate.slices = ['kind', 'nowhere'];
    const scores = { champion: constant(0.3), twin: perfect };
    spec.spec.gate.sliceMinRows = 1;
    const slices = sliceScores(table, embargo, scores, spec);
    expect(slices.map(({ slice }) => slice)).toEqual(['kind=a', 'kind=b', 'kind=c']);
    const counts = slices.map(({ days }) => days.reduce((sum, day) => sum + day.rows, 0));
    spec.spec.gate.sliceMinRows = Math.max(...counts);
    expect(sliceScores(table, embargo, scores, spec).length).toBeLessThan(3);
  });

  it('shows how well each feature ranks the label alone, with its share of the gain', () => {
    const leak = {
      name: 'leak',
      kind: 'numeric' as const,
      values: Float64Array.from(table.labels, (y) => (y ? Number.NaN : 1)),
    };
    const [signal, kind, leaked] = featureScores(
      { ...table, columns: [...table.columns, leak] },
      new Map([['signal', 0.8]]),
    );
    expect(signal).toMatchObject({ feature: 'signal', gainShare: 0.8 });
    expect(signal.auc).toBeGreaterThan(0.65);
    // By rates of the rows before each: its own label, which a rate over all rows would hold, tells it nothing.
    expect(Math.abs(kind.auc - 0.5)).toBeLessThan(0.1);
    // A value that is missing exactly where the label is 1 gives it away: the gate looks at both directions.
    expect(leaked).toEqual({ feature: 'leak', auc: 0, gainShare: 0 });
  });

  it('does not take a category of its own a row for one that knows the label', () => {
    const codes = Int32Array.from({ length: table.rows }, (_, row) => row);
    const own = { name: 'own', kind: 'categorical' as const, codes, categories: Array.from(codes, String) };
    const [{ auc }] = featureScores({ ...table, columns: [own] }, new Map());
    expect(Math.abs(auc - 0.5)).toBeLessThan(0.1);
  });

  it('looks beyond the embargoed days, where a season or an hour can rank by itself', () => {
    const early = Float64Array.from(table.labels, (y, row) => (row < 200 ? row % 7 : y));
    const [{ auc }] = featureScores(
      { ...table, columns: [{ name: 'late', kind: 'numeric', values: early }] },
      new Map(),
    );
    expect(auc).toBeGreaterThan(0.5);
    expect(auc).toBeLessThan(0.8);
  });
});
