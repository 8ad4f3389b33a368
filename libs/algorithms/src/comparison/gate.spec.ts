import { BadInput } from '../bad-input.js';
import type { DaySum } from '../day-sums.js';
import { gate } from './gate.js';

const week = (mean: number, count = 9, rows = 300): DaySum[] =>
  Array.from({ length: count }, (_, d) => ({
    day: `2013-02-0${d + 1}`,
    rows,
    sum: Math.round(rows * 1e9 * (mean + (d % 3) * 0.01 - 0.01)),
  }));
const parity = { rows: 2700, maxDifference: 3e-7, notFinite: 0 };

describe('the gate', () => {
  it('approves a challenger that is not significantly worse, with evidence', () => {
    const verdict = gate({ days: week(-0.001), parity, features: [{ feature: 'hour', auc: 0.66 }] });
    expect(verdict).toMatchObject({ approved: true, inconclusive: false, reasons: [] });
    expect(verdict.evidence.map((e) => e.test)).toEqual([
      'enough rows',
      'enough days',
      'non-inferior',
      'mean within margin',
      'leak',
      'parity',
      'all finite',
    ]);
  });

  it('refuses a challenger that is significantly worse', () => {
    expect(gate({ days: week(-0.02) }).reasons).toEqual([expect.stringMatching(/^worse: .*t -6/)]);
  });

  it('refuses a large loss that noise hides from the test', () => {
    const noisy = week(-0.02).map((d, i) => ({ ...d, sum: d.sum + (i % 2 ? 1 : -1) * 300 * 1e8 }));
    expect(gate({ days: noisy }).reasons).toEqual([
      expect.stringMatching(/^worse: .* beyond the margin 0.01 although not significant$/),
    ]);
    expect(gate({ days: noisy }, { margin: Number.POSITIVE_INFINITY }).approved).toBe(true);
  });

  it('asks for superiority only where the rule says so', () => {
    expect(gate({ days: week(0.001) }, { rule: 'superior' }).reasons[0]).toMatch(/^not superior:/);
    expect(gate({ days: week(0.02) }, { rule: 'superior' }).approved).toBe(true);
  });

  it('refuses as inconclusive when too little is known', () => {
    const short = gate({ days: week(0.02, 6) });
    expect(short).toMatchObject({ approved: false, inconclusive: true });
    expect(short.reasons).toEqual([
      'inconclusive: 1800 rows of closed days, fewer than 2400; wait for more',
      'inconclusive: 6 days of closed days, fewer than 7; wait for more',
    ]);
    expect(gate({ days: [] }, { minDays: 0, minRows: 0 })).toMatchObject({ approved: false, inconclusive: true });
  });

  it('refuses a leak of either direction, and a figure that is no number', () => {
    const refuse = (auc: number): readonly string[] =>
      gate({ days: week(0.02), features: [{ feature: 'dep_delay', auc }] }).reasons;
    expect(refuse(0.883)).toEqual([
      'leak: feature dep_delay alone has AUC 0.883, above 0.8; remove it or make it known in time',
    ]);
    expect(refuse(0.117)[0]).toMatch(/^leak:/);
    expect(refuse(Number.NaN)).toEqual(['not finite: the AUC of feature dep_delay is NaN']);
    expect(refuse(0.708)).toEqual([]);
  });

  it('refuses a graph that differs from its trainer, and predictions that are no numbers', () => {
    const refuse = (p: Partial<typeof parity>): readonly string[] =>
      gate({ days: week(0.02), parity: { ...parity, ...p } }).reasons;
    expect(refuse({ maxDifference: 0.01 })).toEqual([
      'parity: the graph differs from its trainer by 0.01, above 0.0001; export again',
    ]);
    expect(refuse({ maxDifference: Number.NaN })[0]).toMatch(/^parity:/);
    expect(refuse({ notFinite: 2 })).toEqual(['not finite: 2 of 2700 predictions are not numbers']);
  });

  it('refuses for a harmed slice although the whole is better', () => {
    const verdict = gate({ days: week(0.02), slices: [{ slice: 'carrier=UA', days: week(-0.03, 9, 60) }] });
    expect(verdict.reasons).toEqual([expect.stringMatching(/^slice: carrier=UA is harmed/)]);
  });

  it('names everything that is wrong at once, and is then no mere lack of rows', () => {
    const verdict = gate({
      days: week(-0.02, 6),
      features: [{ feature: 'x', auc: 0.9 }],
      parity: { ...parity, notFinite: 1 },
    });
    expect(verdict.inconclusive).toBe(false);
    expect(verdict.reasons.map((r) => r.split(':')[0])).toEqual([
      'inconclusive',
      'inconclusive',
      'worse',
      'leak',
      'not finite',
    ]);
  });

  it('gives the same verdict whatever the order of days, as plain JSON', () => {
    const verdict = gate({ days: week(0.003), parity });
    expect(gate({ days: week(0.003).reverse(), parity })).toEqual(verdict);
    expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
  });

  it('refuses options that make no sense', () => {
    expect(() => gate({ days: week(0) }, { level: 0.9 })).toThrow(BadInput);
    expect(() => gate({ days: week(0) }, { minRows: Number.NaN })).toThrow('gate.minRows');
    expect(() => gate({ days: [{ day: 'a', rows: 1, sum: Number.NaN }] })).toThrow('sums in integer units');
  });
});
