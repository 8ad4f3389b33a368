/**
 * Jensen–Shannon divergence: how far apart two distributions are, in bits: JS = H(½P + ½Q) − ½H(P) − ½H(Q). 0 for equal ones, 1 for ones that share
 * nothing; symmetric; finite without any smoothing; its root is a metric. (Lin, IEEE Transactions on Information Theory 1991; Endres & Schindelin 2003.)
 *
 * @example
 * jensenShannon({ counts: [50, 50] }, { counts: [25, 75] }); // .0488
 */
import { demand } from '../bad-input.js';
import type { BinCounts } from './psi.js';

/** The divergence of two histograms of one layout, bits; 0 when either side is empty. @throws BadInput for counts of different layouts or below 0. */
export function jensenShannon(a: BinCounts, b: BinCounts): number {
  const bins = a.counts.length;
  demand(
    b.counts.length === bins,
    'jensenShannon',
    () => `${bins} bins and ${b.counts.length}`,
    'pass counts of one layout',
  );
  const [n, m] = [totalOf(a), totalOf(b)];
  if (n === 0 || m === 0) return 0;
  let bits = 0;
  for (let i = 0; i < bins; i++) {
    const [p, q] = [a.counts[i] / n, b.counts[i] / m];
    bits += towardsMiddle(p, q) + towardsMiddle(q, p);
  }
  // rounding may leave a trace beyond the bounds
  return Math.min(1, Math.max(0, bits));
}

/** ½ p log₂(p / ½(p + q)) */
const towardsMiddle = (p: number, q: number): number => (p === 0 ? 0 : 0.5 * p * Math.log2((2 * p) / (p + q)));

function totalOf({ counts }: BinCounts): number {
  demand(
    counts.every((c) => c >= 0 && Number.isFinite(c)),
    'jensenShannon',
    () => `counts ${counts.join(', ')}`,
    'pass counts of at least 0',
  );
  return counts.reduce((s, c) => s + c, 0);
}
