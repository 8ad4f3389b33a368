import fc from 'fast-check';
import { BadInput } from '../bad-input.js';
import { Random } from '../random.js';
import { benjaminiHochberg, benjaminiYekutieli } from './false-discovery.js';
import { type DiscoveryState, discoveryLevel, startDiscovery, tested } from './online-discovery.js';

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const several = fc.array(probability, { minLength: 1, maxLength: 30 });

describe('q-values', () => {
  it('are at least the p-values, in their order, and never above one', () => {
    fc.assert(
      fc.property(several, (p) => {
        const [bh, by] = [benjaminiHochberg(p), benjaminiYekutieli(p)];
        p.forEach((value, i) => {
          expect(bh[i]).toBeGreaterThanOrEqual(value - 1e-15);
          expect(by[i]).toBeGreaterThanOrEqual(bh[i]);
          expect(by[i]).toBeLessThanOrEqual(1);
          p.forEach((other, j) => {
            if (other < value) expect(bh[j]).toBeLessThanOrEqual(bh[i]);
          });
        });
      }),
      { seed: 1 },
    );
  });

  it('do not depend on the order of the tests, and change no input', () => {
    const p = Object.freeze([0.03, 0.001, 0.4, 0.001]);
    const q = benjaminiHochberg(p);
    expect(benjaminiHochberg([...p].reverse())).toEqual([...q].reverse());
    expect([benjaminiHochberg([]), benjaminiYekutieli([0.2])]).toEqual([[], [0.2]]);
    expect(() => benjaminiHochberg([0.1, 1.2])).toThrow(BadInput);
    expect(() => benjaminiYekutieli([Number.NaN])).toThrow('pass probabilities');
  });
});

describe('levels of tests without end', () => {
  const options = { rate: 0.05 };
  const ran = (count: number, discovered: (i: number) => boolean): DiscoveryState => {
    let state = startDiscovery();
    for (let i = 0; i < count; i++) state = tested(state, discovered(i));
    return state;
  };

  it('fall while nothing is found, and rise with what is', () => {
    expect(
      discoveryLevel(
        ran(10, () => false),
        options,
      ),
    ).toBeLessThan(discoveryLevel(startDiscovery(), options));
    const found = ran(10, (i) => i === 9);
    expect(discoveryLevel(found, options)).toBeGreaterThan(
      discoveryLevel(
        ran(10, () => false),
        options,
      ),
    );
  });

  it('spend no more than the rate times the discoveries, whatever is found', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 200 }), fc.integer({ min: 0, max: 20 }), (found, lag) => {
        let state = startDiscovery();
        let spent = 0;
        for (const discovered of found) {
          spent += discoveryLevel(state, { ...options, lag });
          state = tested(state, discovered);
        }
        expect(spent).toBeLessThanOrEqual(0.05 * Math.max(1, state.discoveries.length) + 1e-12);
      }),
      { seed: 2 },
    );
  });

  it('are not raised by a discovery that shares data with the test', () => {
    const found = ran(5, (i) => i === 4);
    const none = ran(5, () => false);
    expect(discoveryLevel(found, { ...options, lag: 3 })).toBe(discoveryLevel(none, { ...options, lag: 3 }));
    const later = [
      tested(tested(tested(found, false), false), false),
      tested(tested(tested(none, false), false), false),
    ];
    expect(discoveryLevel(later[0], { ...options, lag: 3 })).toBeGreaterThan(
      discoveryLevel(later[1], { ...options, lag: 3 }),
    );
  });

  it('keep the false ones among 100 tests below the rate where nothing moves', () => {
    const random = new Random(4);
    let any = 0;
    for (let run = 0; run < 1000; run++) {
      let state = startDiscovery();
      for (let i = 0; i < 100; i++) state = tested(state, random.uniform() <= discoveryLevel(state, { rate: 0.1 }));
      if (state.discoveries.length) any++;
    }
    expect(any / 1000).toBeLessThan(0.1);
    expect(any / 1000).toBeGreaterThan(0.01);
  });

  it('have a state that survives JSON, is not changed, and is bounded', () => {
    const state = Object.freeze({ tests: 3, discoveries: Object.freeze([1, 3]) as readonly number[] });
    expect(discoveryLevel(JSON.parse(JSON.stringify(state)), options)).toBe(discoveryLevel(state, options));
    expect(tested(state, true)).toEqual({ tests: 4, discoveries: [1, 3, 4] });
    expect(ran(500, () => true).discoveries).toHaveLength(200);
    expect(() => discoveryLevel(state, { rate: 0 })).toThrow(BadInput);
    expect(() => discoveryLevel(state, { rate: 0.05, lag: 0.5 })).toThrow('a whole lag');
  });
});
