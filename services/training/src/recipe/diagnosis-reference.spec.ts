import { logLossNano, numericReference } from '@driftloop/algorithms';
import type { ModelSpec } from '@driftloop/contracts';
import { DAY, START, tableOf } from '../testing/table.js';
import { diagnosisReference } from './diagnosis-reference.js';
import type { Embargo } from './embargo.js';
import { referenceHistograms } from './reference.js';

const table = tableOf({ days: 20, perDay: 100 });
const rows = Int32Array.from({ length: 500 }, (_, i) => 1500 + i);
const embargo = { start: START + 15 * DAY, days: [], rows, twinRows: new Int32Array() } as unknown as Embargo;
const probabilities = Float64Array.from(rows, (row) => 0.1 + (0.8 * ((row * 7919) % 1000)) / 1000);
const histograms = referenceHistograms(table, probabilities);
const spec = (slices: string[], sliceMinRows = 100) =>
  ({ spec: { monitoring: { slices }, gate: { sliceMinRows } } }) as unknown as ModelSpec;
const made = (slices = ['kind'], minRows = 100) =>
  diagnosisReference(table, embargo, histograms, probabilities, 0, spec(slices, minRows));
const total = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0);

/** 0.1 as two clients send it, and a whole number. */
const sizeOf = (_: unknown, row: number): number => [0.1, Math.fround(0.1), 0.1, 7][row % 4];

describe('what diagnosis needs of a training', () => {
  it('is how the days behind each histogram differ, the embargoed ones for the prediction', () => {
    const { spreads } = made();
    expect(Object.keys(spreads).sort()).toEqual(['kind', 'prediction', 'signal']);
    expect([spreads.signal.days, spreads.kind.days, spreads.prediction.days]).toEqual([20, 20, 5]);
    // ten quantile bins: nine cuts, and that before what is missing
    expect(spreads.signal.squares).toHaveLength(10);
    // days of 100 independent rows: about 20 · 100 · ½ · ½ at the median
    expect(spreads.signal.squares[4]).toBeGreaterThan(200);
    expect(spreads.signal.squares[4]).toBeLessThan(1200);
  });

  it('is the same by slice, of the features that do not slice', () => {
    const { slices } = made();
    expect(Object.keys(slices).sort()).toEqual(['kind=a', 'kind=b', 'kind=c']);
    expect(Object.keys(slices['kind=a']).sort()).toEqual(['prediction', 'signal']);
    const missing = (table.columns[1] as { codes: Int32Array }).codes.filter((code) => code < 0).length;
    const counted = Object.values(slices).map(({ signal }) => total(signal.counts));
    expect(total(counted)).toBe(2000 - missing);
    expect(slices['kind=a'].signal.spread.days).toBe(20);
  });

  it('slices numbers by what they are in any precision', () => {
    const size = { name: 'size', kind: 'numeric' as const, values: Float64Array.from({ length: 2000 }, sizeOf) };
    const mixed = { ...table, columns: [...table.columns, size] };
    const all = referenceHistograms(mixed, probabilities);
    const { slices } = diagnosisReference(mixed, embargo, all, probabilities, 0, spec(['size']));
    const counts = Object.entries(slices).map(([slice, { signal }]) => [slice, total(signal.counts)]);
    expect(Object.fromEntries(counts)).toEqual({ 'size=0.1': 1500, 'size=7': 500 });
  });

  it('leaves out slices with few rows, and columns that are not there', () => {
    expect(made(['kind'], 5000).slices).toEqual({});
    expect(made(['colour']).slices).toEqual({});
    expect(made([]).slices).toEqual({});
  });

  it('keeps the twenty largest slices', () => {
    const many = {
      ...table,
      columns: [
        ...table.columns,
        {
          name: 'shelf',
          kind: 'categorical' as const,
          codes: Int32Array.from({ length: 2000 }, (_, i) => i % 30),
          categories: Array.from({ length: 30 }, (_, i) => `s${i}`),
        },
      ],
    };
    const { slices } = diagnosisReference(
      many,
      embargo,
      referenceHistograms(many, probabilities),
      probabilities,
      0,
      spec(['shelf'], 10),
    );
    expect(Object.keys(slices)).toHaveLength(20);
  });

  it('is the twin’s loss by bin, which is the whole loss for every feature', () => {
    const { losses } = made();
    const milli = (row: number, i: number) =>
      Math.round(logLossNano(probabilities[i], table.labels[row] as 0 | 1) / 1e6);
    const loss = total(Array.from(rows, milli));
    expect(Object.keys(losses).sort()).toEqual(['kind', 'prediction', 'signal']);
    for (const of of Object.values(losses)) expect([total(of.rows), total(of.loss)]).toEqual([500, loss]);
    expect(losses.prediction.rows).toEqual(numericReference(probabilities).counts);
  });
});
