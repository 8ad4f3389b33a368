/**
 * Which share of a change in mean loss falls on the rows of the bins that grew: does a movement explain what was lost?
 *
 * With a_b, e_b the shares of bin b now and before, ℓ_b, ℓ⁰_b its mean losses and L⁰ the mean loss before, the change is Σ_b [a_b (ℓ_b − L⁰) − e_b (ℓ⁰_b − L⁰)]
 * (a decomposition of a difference of rates: Kitagawa, Journal of the American Statistical Association 1955); the share is that of the bins with a_b > e_b.
 * It is above 1 where the other bins became better meanwhile. A movement that has nothing to do with the loss has about the share of its rows.
 *
 * @example
 * lossShare({ rows: [500, 500], loss: [200, 200] }, { rows: [300, 700], loss: [120, 420] }); // { change: .14, share: 1 }
 */
import { demand } from '../bad-input.js';

/** Rows and summed loss of each bin, any one unit. */
export interface BinLosses {
  readonly rows: readonly number[];
  readonly loss: readonly number[];
}

export interface LossShare {
  /** Mean loss now − before, in the unit of the sums. */
  readonly change: number;
  /** Of the change; 0 where nothing changed or a side is empty. */
  readonly share: number;
}

/** @throws BadInput when layouts differ. */
export function lossShare(before: BinLosses, now: BinLosses): LossShare {
  const bins = before.rows.length;
  const same = [before.loss, now.rows, now.loss].every((list) => list.length === bins);
  demand(same, 'lossShare', () => `bins that are not ${bins}`, 'count into the same reference');
  const total = (list: readonly number[]): number => list.reduce((s, x) => s + x, 0);
  const [n0, n1] = [total(before.rows), total(now.rows)];
  if (n0 === 0 || n1 === 0) return { change: 0, share: 0 };
  const L0 = total(before.loss) / n0;
  const change = total(now.loss) / n1 - L0;
  let grown = 0;
  for (let b = 0; b < bins; b++) {
    if (now.rows[b] / n1 <= before.rows[b] / n0) continue;
    grown += (now.loss[b] - L0 * now.rows[b]) / n1 - (before.loss[b] - L0 * before.rows[b]) / n0;
  }
  return { change, share: change === 0 ? 0 : grown / change };
}
