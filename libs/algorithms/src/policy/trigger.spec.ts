import fc from 'fast-check';
import { BadInput } from '../bad-input.js';
import { decideTrigger, type TriggerPolicy, type TriggerSignals } from './trigger.js';

const ready: TriggerSignals = {
  growth: 0.1,
  calibrationGap: { gap: 0.01, z: 0.4, rows: 4200, days: 14 },
  freshLabels: 3000,
  daysSinceLastCycle: 20,
};

describe('the trigger policy', () => {
  it('retrains when enough has been learned since', () => {
    expect(decideTrigger({ ...ready, growth: 0.61 })).toMatchObject({
      retrain: true,
      signal: 'growth',
      reasons: ['growth 0.61 ≥ 0.5'],
      heldBackBy: [],
    });
    expect(decideTrigger({ ...ready, growth: 0.5 }).retrain).toBe(true);
  });

  it('retrains for a calibration gap of either sign that the days make clear', () => {
    const gap = (size: number, z?: number): boolean =>
      decideTrigger({ ...ready, calibrationGap: { gap: size, z } }).retrain;
    expect([gap(0.06, 2.1), gap(-0.06, 2.1), gap(0.06, 1.9), gap(0.04, 3), gap(0.06)]).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('says why not, with each signal as evidence', () => {
    const quiet = decideTrigger(ready);
    expect(quiet).toMatchObject({ retrain: false, signal: null });
    expect(quiet.reasons).toEqual(['not growth 0.1 ≥ 0.5', 'not calibrationGap 0.01 ≥ 0.05, z 0.4 against 2']);
    expect(quiet.evidence).toEqual([
      { test: 'growth', subject: 'champion', statistic: 0.1, threshold: 0.5, holds: false, rows: 3000, days: 0 },
      {
        test: 'calibrationGap',
        subject: 'champion',
        statistic: 0.01,
        threshold: 0.05,
        holds: false,
        rows: 4200,
        days: 14,
        note: 'z 0.4 against 2',
      },
    ]);
  });

  it('holds back behind each guard, and names all that do', () => {
    const due = { ...ready, growth: 0.9 };
    const held = (more: Partial<TriggerSignals>): readonly string[] => decideTrigger({ ...due, ...more }).heldBackBy;
    expect(held({ cycleOpen: true })).toEqual(['cycle-open']);
    expect(held({ daysSinceLastCycle: 7.9 })).toEqual(['cooldown']);
    expect(held({ daysSinceLastCycle: 8 })).toEqual([]);
    expect(held({ cyclesOpenedToday: 1 })).toEqual(['daily-budget']);
    expect(held({ failedCycles: 5 })).toEqual(['breaker']);
    expect(held({ paused: true })).toEqual(['paused']);
    expect(held({ freshLabels: 2399 })).toEqual(['few-labels']);
    expect(held({ freshLabels: Number.NaN, cycleOpen: true })).toEqual(['cycle-open', 'few-labels']);
    expect(decideTrigger({ ...due, cycleOpen: true })).toMatchObject({ retrain: false, signal: 'growth' });
  });

  it('opens the first cycle ever without a cooldown', () => {
    expect(decideTrigger({ ...ready, growth: 2, daysSinceLastCycle: null }).retrain).toBe(true);
  });

  it('combines signals: all within a condition, any between them', () => {
    const policy: TriggerPolicy = {
      any: [{ featureDrift: { atLeast: 0.25 }, performance: { atLeast: 0.02, z: 2 } }, { calendar: { everyDays: 32 } }],
    };
    const at = (psi: number, increase: number, since: number): string | null =>
      decideTrigger(
        {
          ...ready,
          featureDrift: { psi, feature: 'temp' },
          performance: { increase, z: 3 },
          daysSinceLastCycle: since,
        },
        policy,
      ).signal;
    expect([at(0.3, 0.03, 9), at(0.3, 0.01, 9), at(0.1, 0.03, 32)]).toEqual([
      'performance+featureDrift',
      null,
      'calendar',
    ]);
  });

  it('holds no condition on a signal that is not known', () => {
    const blind = decideTrigger({ freshLabels: 9999, growth: Number.NaN, calibrationGap: null });
    expect(blind).toMatchObject({ retrain: false, evidence: [] });
    expect(blind.reasons[0]).toBe('not growth ≥ 0.5 (not known yet)');
  });

  it('never retrains for less than it refuses: more growth keeps a yes', () => {
    const signals = fc.record({
      growth: fc.double({ min: 0, max: 3, noNaN: true }),
      freshLabels: fc.nat(9000),
      daysSinceLastCycle: fc.nat(30),
    });
    fc.assert(
      fc.property(signals, fc.double({ min: 0, max: 3, noNaN: true }), (s, more) => {
        if (decideTrigger(s).retrain) expect(decideTrigger({ ...s, growth: s.growth + more }).retrain).toBe(true);
      }),
      { seed: 11 },
    );
  });

  it('refuses a policy that it cannot read, and takes an empty one as never', () => {
    expect(() => decideTrigger(ready, { any: [{}] })).toThrow('policy.any[0]: an empty condition');
    expect(() => decideTrigger(ready, { any: [{ growth: { atLeast: Number.NaN } }] })).toThrow(BadInput);
    expect(() => decideTrigger(ready, { cooldownDays: -1 })).toThrow('policy.cooldownDays');
    expect(decideTrigger({ ...ready, growth: 9 }, { any: [] })).toMatchObject({
      retrain: false,
      reasons: ['no condition is declared'],
    });
  });
});
