/**
 * The controls on a small history: what each must show, and that each would show it if it were not so. (Shuffled arrival:
 * ../disturbances. Leak: leak-probe.spec.ts. Schedules: the simulation's own specs.)
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Poison, poisonedWindow } from '@driftloop/algorithms';
import { swappedRuns, twinRuns } from './aa.js';
import { inRange, runControl, share } from './control.js';
import { recorded } from './poisoned-window.js';
import { shuffledRuns } from './shuffled-labels.js';
import { smallYear } from './small-year.js';
import { triggersOf } from './stationary.js';

const slow = process.env.DRIFTLOOP_SLOW !== undefined;

describe('a challenger that is the champion’s equal', () => {
  it('is called neither better nor harmful, and is promoted', async () => {
    const year = smallYear();
    const said = [...(await twinRuns(year)), ...(await swappedRuns(year, 1, 25))];
    expect(said.length).toBeGreaterThan(40);
    const rate = (of: keyof (typeof said)[number]) => said.filter((one) => one[of]).length / said.length;
    expect(rate('superior')).toBeLessThanOrEqual(0.05);
    expect(rate('harmful')).toBeLessThanOrEqual(0.01);
    expect(rate('passed')).toBeGreaterThan(0.7);
    expect(rate('promoted')).toBeGreaterThan(0.8);
  });
});

describe('a challenger that learned shuffled labels', () => {
  it('is refused by the gate, and stopped where it is forced past it', async () => {
    const runs = await shuffledRuns(smallYear(), 1, { shuffles: 1, everyDays: 28 });
    expect(runs.length).toBeGreaterThan(1);
    expect(runs.map(({ gated }) => gated)).toEqual(runs.map(() => 'refused'));
    expect(runs.map(({ forced }) => forced)).toEqual(runs.map(() => 'rolled_back'));
  });

  it('would pass had its labels not been shuffled', async () => {
    const year = smallYear();
    const honest = { ...year, models: () => year.models() };
    const runs = await shuffledRuns(honest, 1, { shuffles: 1, everyDays: 28 });
    expect(runs.filter(({ gated }) => gated === 'promoted').length).toBe(runs.length);
  });
});

describe('the calibration trigger', () => {
  it('finds next to nothing where nothing drifts', () => {
    const { triggers, days } = triggersOf(smallYear(), 1, { splits: 2, orders: 20 });
    expect(days).toBeGreaterThan(800);
    expect((100 * triggers) / days).toBeLessThanOrEqual(1);
  });

  it('finds a shift of the labels, in the order in which it came', () => {
    const shifted = smallYear({ shift: { from: 55, by: 1.5 } });
    const rate = (asTheyCame: boolean) => {
      const { triggers, days } = triggersOf(shifted, 1, { splits: 2, orders: asTheyCame ? 1 : 10, asTheyCame });
      return (100 * triggers) / days;
    };
    expect(rate(true)).toBeGreaterThan(3);
    expect(rate(false)).toBeLessThan(rate(true));
  });
});

describe('a poisoned window', () => {
  const thresholds = { days: 7, aucBelow: 0.5, calibrationGapAbove: 0.18, sourceGapAbove: 0.2, minRows: 100 };

  it('is set aside where labels are inverted, and nothing is where nothing was spoilt', async () => {
    const poisons: Poison[] = [
      { kind: 'inverted', flipped: 1 },
      { kind: 'nothing', flipped: 0 },
    ];
    const record = await recorded(smallYear(), 1);
    const { kinds, falseStretches } = poisonedWindow(record, thresholds, { seed: 1, poisons });
    expect(kinds[0].trials).toBeGreaterThan(5);
    expect(kinds.map(({ found }) => found)).toEqual([1, 0]);
    expect(falseStretches).toBe(0);
  });
});

describe('the table', () => {
  const context = { seed: 1, home: '', tell: () => {}, year: () => Promise.reject(new Error('not needed')) };

  it('takes a control for failed when a figure is out of its range, is no number, or is not there', async () => {
    const finding = { what: 'x', showed: '' };
    expect(inRange({ ...finding, figure: 0.05, atMost: 0.05 })).toBe(true);
    expect(inRange({ ...finding, figure: 0.06, atMost: 0.05 })).toBe(false);
    expect(inRange(share('of none', 0, 0, { atMost: 1 }))).toBe(false);
    const silent = { name: 'silent', mustShow: 'anything', run: async () => [] };
    expect((await runControl(silent, context)).holds).toBe(false);
  });
});

(slow ? describe : describe.skip)('every control on the year of flights (DRIFTLOOP_SLOW=1)', () => {
  it('is in its range', () => {
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    const { status, stdout } = spawnSync(process.execPath, [main], { encoding: 'utf8' });
    expect(stdout).toContain('every control is in its range');
    expect(status).toBe(0);
  }, 3_600_000);
});
