import { populationStability, Random, type ReferenceHistogram } from '@driftloop/algorithms';
import { describe, expect, it } from '@jest/globals';
import { dayNoise } from './stability.js';

const reference: ReferenceHistogram = { kind: 'numeric', edges: [1, 2, 3], counts: [2500, 2500, 2500, 2500, 0] };

/** Days of 100 rows in four bins; `alike` of a day's rows fall into one bin of that day. */
function someDays(random: Random, count: number, alike: number): number[][] {
  return Array.from({ length: count }, () => {
    const counts = [0, 0, 0, 0, 0];
    const common = random.integer(4);
    for (let i = 0; i < 100; i++) counts[i < alike ? common : random.integer(4)]++;
    return counts;
  });
}

describe('the noise of PSI between days', () => {
  it.each([0, 40, 90])('is what days of one distribution show, with %i of 100 rows of a day alike', (alike) => {
    const random = new Random(7);
    let psi = 0;
    let noise = 0;
    for (let i = 0; i < 400; i++) {
      const days = someDays(random, 14, alike);
      const all = days[0].map((_, bin) => days.reduce((sum, day) => sum + day[bin], 0));
      psi += populationStability(reference, { counts: all }) / 400;
      noise += dayNoise(reference, days) / 400;
    }
    // half a count in the empty bin for missing values is seen where hardly anything else is
    expect(noise / psi).toBeGreaterThan(0.65);
    expect(noise / psi).toBeLessThan(1.25);
  });

  it('is nothing where every day is the same', () => {
    expect(
      dayNoise(reference, [
        [25, 25, 25, 25, 0],
        [25, 25, 25, 25, 0],
      ]),
    ).toBe(0);
  });
});
