/** Distances, q-values and ADWIN against SciPy and River, recorded by parity/record.py. */
import { readFileSync } from 'node:fs';
import { Adwin } from './adwin.js';
import { benjaminiHochberg, benjaminiYekutieli } from './false-discovery.js';
import { jensenShannon } from './jensen-shannon.js';
import { kolmogorovTail, ksTwoSample } from './kolmogorov-smirnov.js';
import type { NumericReference } from './psi.js';
import { wasserstein, wassersteinBinned } from './wasserstein.js';

const recorded = JSON.parse(readFileSync(new URL('./parity/peers.json', import.meta.url), 'utf8'));

type Stream = Record<'seed' | 'n' | 'at' | 'jump' | 'delta' | 'clock' | 'width' | 'mean', number> & {
  found: number[][];
};

/** The recording script's generator. */
function* generated(seed: number): Generator<number, never> {
  for (let x = seed; ; ) {
    x = (Math.imul(1664525, x) + 1013904223) >>> 0;
    yield x / 2 ** 32;
  }
}

const rounded = (x: number, digits: number): number => Number(x.toFixed(digits));

function sample(seed: number, n: number, shift: number, scale: number, digits: number): number[] {
  const next = generated(seed);
  return Array.from({ length: n }, () => rounded(shift + scale * (next.next().value + next.next().value), digits));
}

const relative = (mine: number, theirs: number): number => Math.abs(mine - theirs) / Math.max(1e-12, Math.abs(theirs));

describe('two samples', () => {
  it.each(recorded.samples as Record<string, number>[])(
    'of case $seed are as far apart as SciPy says, with its p-values',
    (c: Record<string, number>) => {
      const { seed, n, m, shift, scale, digits, ...expected } = c;
      const [a, b] = [sample(seed, n, 0, 1, digits), sample(seed + 100, m, shift, scale, digits)];
      const exact = ksTwoSample(a, b, { method: 'exact' });
      expect(exact.distance).toBeCloseTo(expected.distance, 12);
      expect(relative(exact.p, expected.exact)).toBeLessThan(1e-8);
      // SciPy takes the one-sample law at n·m/(n + m), here Stephens' correction of the limit
      const { p } = ksTwoSample(a, b, { method: 'asymptotic' });
      const tolerance = n * m < 5000 ? 0.15 : 0.05;
      expect(p > 1e-6 ? relative(p, expected.asymptotic) : 0).toBeLessThan(tolerance);
      expect(wasserstein(a, b)).toBeCloseTo(expected.wasserstein, 12);
    },
  );

  it('follow Kolmogorov’s limit as SciPy has it', () => {
    for (const [x, p] of recorded.kolmogorov) expect(Math.abs(kolmogorovTail(x) - p)).toBeLessThan(1e-12);
  });
});

describe('two histograms', () => {
  it('are as many bits apart as SciPy says', () => {
    for (const { p, q, bits } of recorded.histograms)
      expect(jensenShannon({ counts: p }, { counts: q })).toBeCloseTo(bits, 12);
  });

  it('are as far apart on the points of their bins as SciPy says', () => {
    for (const { p, q, wasserstein: expected } of recorded.histograms) {
      const edges = p.slice(1).map((_: number, k: number) => k + 0.5);
      const reference: NumericReference = { kind: 'numeric', edges, counts: [...p, 0] };
      const n = p.reduce((s: number, c: number) => s + c, 0);
      const mean = p.reduce((s: number, c: number, k: number) => s + (c * k) / n, 0);
      const spread = Math.sqrt(p.reduce((s: number, c: number, k: number) => s + (c * (k - mean) ** 2) / n, 0));
      const found = wassersteinBinned(reference, { counts: [...q, 0] });
      expect(found * spread).toBeCloseTo(spread === 0 ? 0 : expected, 10);
    }
  });
});

describe('q-values', () => {
  it('are those of SciPy', () => {
    for (const { p, bh, by } of recorded.controls) {
      for (const [i, q] of benjaminiHochberg(p).entries()) expect(q).toBeCloseTo(bh[i], 12);
      for (const [i, q] of benjaminiYekutieli(p).entries()) expect(q).toBeCloseTo(by[i], 12);
    }
  });
});

describe('ADWIN', () => {
  it.each(recorded.adwins as Stream[])('of stream $seed drops when River’s does, and keeps as many', (c: Stream) => {
    const { seed, n, at, jump, delta, clock, found, width, mean } = c;
    let adwin = new Adwin({ delta, clock });
    const next = generated(seed);
    const drops: number[][] = [];
    for (let i = 0; i < n; i++) {
      const x = rounded(0.6 * next.next().value + (i >= at ? jump : 0), 6);
      // River begins anew after what it found
      if (drops.at(-1)?.[0] === i - 1) adwin = new Adwin({ delta, clock });
      if (adwin.update(x) === 'drift') drops.push([i, adwin.width]);
    }
    expect(drops).toEqual(found);
    expect(adwin.width).toBe(width);
    expect(adwin.mean).toBeCloseTo(mean, 10);
  });
});
