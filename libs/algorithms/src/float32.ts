/** What float32, in which many clients and graphs hold numbers, makes of doubles. */

/** A bin or an interval that holds a smaller share of the rows than this tells nobody anything. */
const finestShare = 1 / 256;

/**
 * Whether float32 makes one value of several in so many rows that it would be noticed: `1.7e9 + k` has a float32 only every 128.
 * A number beside its own float32 (0.1 as it came from two clients) is one value.
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

/** Of doubles with one float32: two that are not it, or two whole numbers, are two values. */
function holdsSeveral(sorted: Float64Array, narrow: number): boolean {
  let others = 0;
  let whole = 0;
  for (let i = 0; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) continue;
    if (sorted[i] !== narrow) others++;
    if (Number.isSafeInteger(sorted[i])) whole++;
  }
  return others > 1 || whole > 1;
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
