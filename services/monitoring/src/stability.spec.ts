import { Movement } from '@driftloop/contracts';
import type { DriftControl } from './loop-rows.js';
import { atAGlance, inWords, leading, stability } from './stability.js';
import type { ModelView } from './view.js';

const view = { spec: { monitoring: { psi: { warnAt: 0.25 }, falseDiscoveryRate: 0.05 } } } as unknown as ModelView;
const control: DriftControl = { champion: 'v1', budget: { tests: 3, discoveries: [] }, level: 0.00123, standing: [] };
const of = (feature: string, psi: number, moved: boolean, slice = ''): Movement =>
  Movement.fromPartial({ feature, slice, psi, moved, rows: 560, days: 14, qValue: moved ? 1e-6 : 0.8 });

describe('movements as signals', () => {
  it('sound where the movement is no accident and large enough, and only there', () => {
    const faded = { ...of('d', 0.8, true), qValue: 0.3 };
    const movements = [of('a', 0.3, true), of('b', 0.9, false), of('c', 0.1, true), faded];
    expect(stability(view, movements).map(({ subject, holds }) => [subject, holds])).toEqual([
      ['a', true],
      ['b', false],
      ['c', false],
      ['d', false],
    ]);
  });

  it('are of a slice only where the whole has not moved (I1)', () => {
    const movements = [
      of('a', 0.3, true),
      of('a', 0.5, true, 'depot=x'),
      of('b', 0.1, false),
      of('b', 0.4, true, 'depot=x'),
    ];
    const subjects = stability(view, [...movements, of('b', 0.4, false, 'depot=y')]).map(({ subject }) => subject);
    expect(subjects).toEqual(['a', 'b', 'b in depot=x']);
  });

  it('are at a glance the ten strongest, those that sound first, and one line of all (I2)', () => {
    const movements = Array.from({ length: 40 }, (_, i) => of(`f${i}`, i / 100, i === 30));
    const shown = atAGlance([{ test: 'growth' }, ...stability(view, movements)], movements, control);
    expect(shown).toHaveLength(12);
    expect(shown[0]).toEqual({ test: 'growth' });
    expect(shown[1]).toMatchObject({ test: 'movements', statistic: 1, holds: true });
    expect(shown[1].note).toBe('of 40 features and slices; q-values against 0.0012');
    expect(shown.slice(2, 4).map(({ subject }) => subject)).toEqual(['f30', 'f39']);
  });

  it('lead a decision’s evidence: the strongest that moved, at most five', () => {
    const movements = Array.from({ length: 8 }, (_, i) => of(`f${i}`, 1 - i / 10, i !== 0));
    const evidence = leading(view, movements);
    expect(evidence.map(({ subject }) => subject)).toEqual(['f1', 'f2', 'f3', 'f4', 'f5']);
    expect(evidence[0]).toMatchObject({ test: 'movement', statistic: 0.9, threshold: 0.25, holds: true, rows: 560 });
  });

  it('are told in words', () => {
    const told = {
      ...of('a', 0.3, true),
      reference: 0.31234,
      present: 0.4567,
      ks: 0.2123,
      wasserstein: 0.8,
      lossShare: 0.62,
    };
    expect(inWords(told)).toBe('0.312 → 0.457, KS 0.21, 0.8 spreads, q 0.000001, 62% of the rise in loss');
  });
});
