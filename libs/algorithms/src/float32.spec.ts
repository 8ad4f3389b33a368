import { float32Decimal, float32Merges } from './float32.js';

describe('float32', () => {
  it('merges numbers far from zero that lie close together, and no others', () => {
    const from = (start: number, step: number) => Float64Array.from({ length: 1000 }, (_, i) => start + i * step);
    expect([from(1.7e9, 1), from(-1.7e12, 1000), from(1e-50, 1e-52)].map(float32Merges)).toEqual([true, true, true]);
    expect([from(0, 1), from(1e6, 1), from(0.1, 0.1), from(1.7e9, 1e6)].map(float32Merges)).toEqual([
      ...[false, false, false, false],
    ]);
    expect(float32Merges(new Float64Array())).toBe(false);
    expect(float32Merges(Float64Array.of(1.7e9, 1.7e9 + 1))).toBe(true);
  });

  it('is no other value than the number that it is of', () => {
    const twice = [0.1, 0.2, 0.7].flatMap((x) => [x, Math.fround(x)]);
    expect(float32Merges(Float64Array.from(twice).sort())).toBe(false);
    const rounded = Array.from({ length: 1000 }, (_, i) => [
      1 / (i + 2) + 1 / 3,
      1 / (i + 2) + 1 - 2 / 3,
      1 / 3 + 1 / (i + 2),
    ]);
    expect(float32Merges(Float64Array.from(rounded.flat()).sort())).toBe(false);
  });

  it('is written by its shortest decimal, whichever precision a number had', () => {
    for (const x of [0.1, -0.3, 12.34, 1e-7, 3.4e38])
      expect([x, float32Decimal(x), float32Decimal(Math.fround(x))]).toEqual([x, x, x]);
    expect([7, 16_777_217, 1.7e12, Number.POSITIVE_INFINITY].map(float32Decimal)).toEqual([
      ...[7, 16_777_217, 1.7e12, Number.POSITIVE_INFINITY],
    ]);
    expect(float32Decimal(Number.NaN)).toBeNaN();
  });
});
