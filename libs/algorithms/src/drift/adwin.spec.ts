import { BadInput } from '../bad-input.js';
import { Random } from '../random.js';
import { Adwin } from './adwin.js';

function stream(n: number, mean: (i: number) => number, seed = 1): number[] {
  const random = new Random(seed);
  return Array.from({ length: n }, (_, i) => Math.min(1, Math.max(0, mean(i) + random.normal(0, 0.1))));
}

describe('ADWIN', () => {
  it('keeps everything while the mean stays, and forgets the old when it moves', () => {
    const adwin = new Adwin();
    for (const x of stream(500, () => 0.3)) expect(adwin.update(x)).toBe('stable');
    expect(adwin.width).toBe(500);
    const drops = stream(200, () => 0.6, 2).map((x) => adwin.update(x));
    expect(drops.indexOf('drift')).toBeLessThan(30);
    expect(adwin.width).toBeLessThan(260);
    expect(adwin.mean).toBeGreaterThan(0.55);
  });

  it('sounds in under 2% of streams of 300 values that stay', () => {
    let alarms = 0;
    for (let seed = 0; seed < 100; seed++) {
      const adwin = new Adwin({ delta: 0.02 });
      if (stream(300, () => 0.5, seed).some((x) => adwin.update(x) === 'drift')) alarms++;
    }
    expect(alarms).toBeLessThan(2);
  });

  it('goes on from its state, through JSON, to the last digit', () => {
    const values = stream(800, (i) => (i < 400 ? 0.3 : 0.5), 3);
    const whole = new Adwin({ clock: 3 });
    let parts = new Adwin({ clock: 3 });
    for (const x of values) {
      expect(parts.update(x)).toBe(whole.update(x));
      parts = Adwin.fromState(JSON.parse(JSON.stringify(parts.toState())));
    }
    expect(parts.toState()).toEqual(whole.toState());
    expect([parts.width, parts.mean]).toEqual([whole.width, whole.mean]);
  });

  it('keeps a state that does not change after it was taken', () => {
    const adwin = new Adwin();
    for (const x of stream(50, () => 0.5)) adwin.update(x);
    const state = adwin.toState();
    const before = JSON.stringify(state);
    for (const x of stream(50, () => 0.9)) adwin.update(x);
    expect(JSON.stringify(state)).toBe(before);
  });

  it('remembers thousands of values in a few dozen buckets (I1)', () => {
    const adwin = new Adwin({ clock: 32 });
    for (const x of stream(20_000, () => 0.5, 4)) adwin.update(x);
    const { rows } = adwin.toState();
    expect(adwin.width).toBe(20_000);
    expect(rows.flat().length).toBeLessThan(90);
    expect(rows.every((row) => row.length <= 5)).toBe(true);
  });

  it('stays sound with one bucket a size', () => {
    const adwin = new Adwin({ maxBuckets: 1 });
    for (const x of stream(300, (i) => (i < 150 ? 0.1 : 0.9), 5)) adwin.update(x);
    expect(adwin.width).toBeLessThan(300);
    expect(adwin.mean).toBeGreaterThan(0.7);
  });

  it('takes NaN for missing, and refuses what is beyond its range or options', () => {
    const adwin = new Adwin();
    adwin.update(0.5);
    expect(adwin.update(Number.NaN)).toBe('stable');
    expect(adwin.width).toBe(1);
    expect(() => adwin.update(1.5)).toThrow('scale the values');
    expect(() => new Adwin({ delta: 0 })).toThrow(BadInput);
    expect(() => new Adwin({ clock: 0.5 })).toThrow(BadInput);
  });
});
