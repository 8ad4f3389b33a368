import { daySpread, logLossNano, type ReferenceHistogram } from '@driftloop/algorithms';
import { packNumbers } from './cells.js';
import { BinCounter, readCounts } from './count-bins.js';
import type { LayoutDocument, PredictionRow } from './rows.documents.js';

const histograms: Record<string, ReferenceHistogram> = {
  weight: { kind: 'numeric', edges: [2, 4], counts: [5, 5, 5, 0] },
  depot: { kind: 'categorical', categories: ['north', 'south'], counts: [9, 6, 0, 0] },
  prediction: { kind: 'numeric', edges: [0.5], counts: [8, 7, 0] },
};
const ofSlice = { counts: [1, 1, 1, 0], spread: daySpread('numeric', [[1, 1, 1, 0]]) };
const none = { rows: [0, 0, 0, 0], loss: [0, 0, 0, 0] };
const diagnosis = { spreads: {}, slices: { 'depot=north': { weight: ofSlice } }, losses: { weight: none } };
const layouts = new Map<string, LayoutDocument>([['a', { _id: 'a', numbers: ['weight', 'other'], texts: ['depot'] }]]);

const row = (weight: number, depot: string, layout = 'a'): PredictionRow =>
  ({ layout, numbers: packNumbers([weight, 1]), texts: [depot] }) as unknown as PredictionRow;

type Asked = [row: PredictionRow, prediction: number | null, y: 0 | 1 | undefined];

function counted(asked: Asked[], reference = { version: 'v1', histograms, diagnosis }) {
  const counter = new BinCounter(reference, layouts);
  for (const [one, p, y] of asked) counter.add(one, p, y);
  return counter.counts();
}

const asked: Asked[] = [
  [row(1, 'north'), 0.2, 1],
  [row(3, 'south'), 0.7, 0],
  [row(9, 'north'), 0.6, undefined],
  [row(Number.NaN, ''), null, 1],
];

describe('the counts of a day', () => {
  it('are of every feature that the reference knows, and of the prediction', () => {
    expect(readCounts(counted(asked))).toMatchObject({
      rows: 4,
      bins: { weight: [1, 1, 1, 1], depot: [2, 1, 0, 1], prediction: [1, 2, 1] },
    });
  });

  it('are of each slice that the reference knows, and of no other', () => {
    expect(readCounts(counted(asked)).slices).toEqual({ 'depot=north': { weight: [1, 0, 1, 0] } });
  });

  it('are of a slice of numbers in whichever precision they are sent', () => {
    const slices = { 'weight=0.1': { depot: ofSlice } };
    const reference = { version: 'v1', histograms, diagnosis: { spreads: {}, slices, losses: {} } };
    const sent = [0.1, Math.fround(0.1), 0.2].map((weight): Asked => [row(weight, 'north'), 0.2, 1]);
    expect(readCounts(counted(sent, reference as never)).slices).toEqual({ 'weight=0.1': { depot: [2, 0, 0, 0] } });
  });

  it('sum the loss by bin over what has a label and a prediction, in whole thousandths', () => {
    const milli = (p: number, y: 0 | 1) => Math.round(logLossNano(p, y) / 1e6);
    const { weight } = readCounts(counted(asked)).losses;
    expect(weight).toEqual({ rows: [1, 1, 0, 0], loss: [milli(0.2, 1), milli(0.7, 0), 0, 0] });
  });

  it('are the same whatever the order of the rows, and add up over days', () => {
    expect(counted([...asked].reverse())).toEqual(counted(asked));
  });

  it('are whole without what diagnosis needs, and read from days that had none', () => {
    const { slices, losses, bins } = readCounts(
      counted(asked, { version: 'v0', histograms, diagnosis: undefined } as never),
    );
    expect([slices, losses, bins.weight]).toEqual([{}, {}, [1, 1, 1, 1]]);
    expect(readCounts({ version: 'v0', rows: 1, bins: '{}' })).toEqual({ rows: 1, bins: {}, slices: {}, losses: {} });
  });

  it('leave out the columns of a layout that is not known', () => {
    expect(readCounts(counted([[row(1, 'north', 'b'), 0.2, 1]])).bins).toMatchObject({
      weight: [0, 0, 0, 0],
      prediction: [1, 0, 0],
    });
  });
});
