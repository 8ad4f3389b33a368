/** Texts in the order of their code points, which is that of their bytes in UTF-8: SQL engines sort so, `<` does not. */

const [surrogates, afterSurrogates] = [0xd800, 0xe000];

/** Less than 0 where `a` comes first. UTF-16 puts a pair of surrogates before what stands behind them in the table. */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    if (x < surrogates || y < surrogates) return x - y;
    const isPair = [x < afterSurrogates, y < afterSurrogates];
    return isPair[0] === isPair[1] ? x - y : isPair[0] ? 1 : -1;
  }
  return a.length - b.length;
}
