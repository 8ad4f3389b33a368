import { BadInput } from '../bad-input.js';
import type { DaySum } from '../day-sums.js';
import { Random } from '../random.js';
import { calibrationGap, residualMicro } from './calibration-gap.js';
import { growth } from './growth.js';
import { brierNano, meanLoss, performanceAgainst } from './performance.js';

const dayName = (d: number): string => new Date(Date.UTC(2013, 0, 1 + d)).toISOString().slice(0, 10);

/** Days whose rows share a shock: sums of y − p (micro) or of a loss (nano). */
function days(count: number, mean: number, shock: number, unit: number, seed: number): DaySum[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, d) => {
    const rows = 280 + random.integer(40);
    return { day: dayName(d), rows, sum: Math.round(unit * rows * (mean + random.normal(0, shock))) };
  });
}

describe('the calibration gap', () => {
  it('is the mean residual, with the z of day sums', () => {
    const found = calibrationGap([
      { day: 'b', rows: 100, sum: 8_000_000 },
      { day: 'a', rows: 100, sum: 6_000_000 },
    ]);
    expect(found).toEqual({ gap: 0.07, z: 1.4, rows: 200, days: 2, window: 'a to b' });
  });

  it('counts a row in whole micro-units', () => {
    expect([residualMicro(0.2, 1), residualMicro(0.2, 0)]).toEqual([800_000, -200_000]);
  });

  it('is the same whatever the order of days, and nothing without rows', () => {
    const some = days(14, 0.06, 0.05, 1e6, 1);
    expect(calibrationGap([...some].reverse())).toEqual(calibrationGap(some));
    expect(calibrationGap([])).toEqual({ gap: 0, z: 0, rows: 0, days: 0, window: '' });
    expect(calibrationGap([{ day: 'a', rows: 3, sum: 0 }]).z).toBe(0);
  });

  it('finds z ≥ 2 in under 6% of calibrated windows although days share shocks', () => {
    let alarms = 0;
    for (let i = 0; i < 1000; i++) if (calibrationGap(days(14, 0, 0.05, 1e6, 100 + i)).z >= 2) alarms++;
    expect(alarms / 1000).toBeLessThan(0.06);
    expect(alarms).toBeGreaterThan(0);
  });
});

describe('growth', () => {
  it('is fresh labels per label trained on', () => {
    expect(growth({ freshLabels: 6000, trainedOn: 12_000 })).toBe(0.5);
    expect(growth({ freshLabels: 10, trainedOn: 0 })).toBe(10);
    expect(() => growth({ freshLabels: -1, trainedOn: 5 })).toThrow(BadInput);
  });
});

describe('performance', () => {
  it('measures the increase over the reference in standard errors of days', () => {
    const reference = meanLoss(days(14, 0.46, 0.02, 1e9, 2));
    const worse = performanceAgainst(reference, meanLoss(days(14, 0.52, 0.02, 1e9, 3)));
    expect(worse.increase).toBeCloseTo(0.06, 1);
    expect(worse.z).toBeGreaterThan(3.5);
    expect(performanceAgainst(reference, reference)).toMatchObject({ increase: 0, z: 0, days: 14 });
  });

  it('has a standard error that agrees with repeated windows', () => {
    const windows = Array.from({ length: 400 }, (_, i) => meanLoss(days(14, 0.46, 0.03, 1e9, 500 + i)));
    const center = windows.reduce((s, w) => s + w.mean, 0) / windows.length;
    const spread = Math.sqrt(windows.reduce((s, w) => s + (w.mean - center) ** 2, 0) / windows.length);
    const claimed = windows.reduce((s, w) => s + w.se, 0) / windows.length;
    expect(claimed / spread).toBeGreaterThan(0.85);
    expect(claimed / spread).toBeLessThan(1.15);
  });

  it('takes a reference without a standard error as exact, and knows no z from one day', () => {
    const now = meanLoss(days(14, 0.5, 0.02, 1e9, 4));
    expect(performanceAgainst({ mean: 0.46 }, now)).toMatchObject({ se: now.se });
    expect(performanceAgainst({ mean: 0.46 }, meanLoss(days(1, 0.9, 0, 1e9, 4)))).toMatchObject({ z: 0 });
    expect(performanceAgainst({ mean: 0.46 }, meanLoss([]))).toMatchObject({ increase: 0, z: 0, rows: 0 });
  });

  it('sums Brier scores as whole numbers', () => {
    expect([brierNano(0.5, 1), brierNano(0.1, 0)]).toEqual([250_000_000, 10_000_000]);
  });
});
