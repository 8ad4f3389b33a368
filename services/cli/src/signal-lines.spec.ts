import type { ModelStatus } from '@driftloop/client';
import { signalLines } from './signal-lines.js';

type Signal = ModelStatus['signals'][number];

const growth: Signal = {
  ...{ test: 'growth', subject: 'v2', statistic: 0.3, threshold: 0.28, holds: true, rows: 90, days: 0, note: '' },
  ...{ windowStart: undefined, windowEnd: undefined },
};
const gap: Signal = {
  ...{ ...growth, test: 'calibration_gap', statistic: 0.06, threshold: 0.05, holds: false },
  note: 'promises too little, z 1.90 against 2.5',
};
const quiet: Signal = { ...gap, test: 'psi', subject: 'weight', statistic: 0.1, threshold: 0.25, note: '2 → 3' };

describe('the signals of a status', () => {
  it('tell apart what has reached its threshold and what holds, and say why where they differ', () => {
    expect(signalLines({ signals: [gap, growth, quiet], signalsOf: 'v2' }, 'v2')[0].split('\n')).toEqual([
      'signal           of      value  threshold  reached  holds',
      'calibration gap  v2       0.06       0.05  yes      no     promises too little, z 1.90 against 2.5',
      'growth           v2        0.3       0.28  yes      yes',
      'psi              weight    0.1       0.25  no       no',
    ]);
  });

  it('are said to be of an earlier champion where the present one has not been checked', () => {
    const signals = [growth];
    expect(signalLines({ signals, signalsOf: 'v2' }, 'v3')[0]).toBe(
      'v3 has not been checked yet; the last check was of v2:',
    );
    expect(signalLines({ signals, signalsOf: '' }, 'v3')).toHaveLength(1);
  });

  it('are nothing before the first check', () => {
    expect(signalLines({ signals: [], signalsOf: '' }, 'v0')).toEqual([]);
  });
});
