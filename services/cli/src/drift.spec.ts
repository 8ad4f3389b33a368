import type { DriftReport } from '@driftloop/client';
import { table } from './drift.js';

const movement = {
  ...{
    feature: 'jam',
    slice: '',
    rows: 600,
    days: 5,
    psi: 0.4123,
    ks: 0.2512,
    jensenShannon: 0.0612,
    wasserstein: 0.83,
  },
  ...{
    pValue: 1e-7,
    qValue: 0.0000213,
    moved: true,
    reference: 0.4999,
    present: 0.7001,
    lossShare: 0.62,
    note: 'since 2024-01-13',
  },
};

const report: DriftReport = {
  ...{ model: 'parcels', champion: 'v1', days: 5, tests: 12, moved: 1, rate: 0.05, level: 0.0109 },
  windowStart: new Date('2024-01-10'),
  windowEnd: new Date('2024-01-15'),
  movements: [
    movement,
    { ...movement, feature: 'depot', slice: 'depot=d1', moved: false, ks: 0, wasserstein: 0, lossShare: 0, note: 'd1' },
  ],
  lossChanged: new Date('2024-01-12'),
};

describe('the table of what moved', () => {
  it('says of what, when, how far and how sure', () => {
    const lines = table(report).split('\n');
    expect(lines[0]).toBe(
      "parcels, 2024-01-10 to 2024-01-15 against v1: 1 of 12 features and slices moved (false discoveries held at 0.05, this window's q-values at 0.011)",
    );
    expect(lines[1]).toBe('the daily loss changed on 2024-01-12');
    expect(lines[3]).toMatch(/^feature +slice +moved +q +PSI +KS +JS bits +W +before +now +of loss$/);
    expect(lines[4]).toMatch(/^jam +– +yes +0.000021 +0.41 +0.25 +0.061 +0.83 +0.4999 +0.7001 +62% +since 2024-01-13$/);
    expect(lines[5]).toMatch(/^depot +depot=d1 +no .* – +0.061 +– .* – +d1$/);
  });

  it('says so where no window is whole', () => {
    expect(table({ ...report, movements: [], days: 3 })).toBe(
      'parcels: no whole window of closed days has been counted against v1 yet (3 so far)',
    );
  });
});
