/** What float32, in which many clients and graphs hold numbers, makes of doubles. */

/** A bin or an interval that holds a smaller share of the rows than this tells nobody anything. */
const finestShare = 1 / 256;

/**
 * Whether float32 makes one value of several in so many rows that it would be noticed: `1.7e9 + k` has a float32 only every 128.
 * A number beside its own float32 (0.1 as it came from two clients) is one value, and so is one whose last digits were rounded in
 * several ways (1/3 + 1/6 and 1/2).
 * @param sorted ascending, without NaN
 */
export function float32Merges(sorted: Float64Array): boolean {
  let merged = 0;
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const narrow = Math.fround(sorted[from]);
    while (to < sorted.length && Math.fround(sorted[to]) === narrow) to++;
    if (sorted[to - 1] !== sorted[from] && holdsSeveral(sorted.subarray(from, to), narrow)) merged += to - from;
  }
  return merged > sorted.length * finestShare;
}

/** A float32 stands for doubles this far apart, relative to it; a spread of an eighth of that is no rounding of one number. */
const noticeable = 2 ** -24 / 8;

/** Of doubles with one float32: two whole numbers are two values, and two that are not it and lie apart. */
function holdsSeveral(sorted: Float64Array, narrow: number): boolean {
  let others = 0;
  let whole = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) continue;
    if (sorted[i] !== narrow) others++;
    if (Number.isSafeInteger(sorted[i])) whole++;
  }
  const spread = sorted[sorted.length - 1] - sorted[0];
  return whole > 1 || (others > 1 && spread > Math.abs(narrow) * noticeable);
}

/** The shortest decimal of a number's float32: the same for 0.1 and for what float32 makes of it. Whole numbers stay as they are. */
export function float32Decimal(x: number): number {
  const narrow = Math.fround(x);
  if (Number.isSafeInteger(x) || !Number.isFinite(narrow)) return x;
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(narrow.toPrecision(digits));
    if (Math.fround(decimal) === narrow) return decimal;
  }
  return Number(narrow.toPrecision(9));
}
