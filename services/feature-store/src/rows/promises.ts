/**
 * What a stream has promised, by part, as its batches say it in order.
 *
 * I1  A promise only moves its part on. A withdrawal takes every part back, to a time or to nothing; what is promised after
 *     it counts again.
 */
import type { BatchDocument } from '../feature-store.documents.js';

/** A promise that comes with rows. */
export interface Promised {
  readonly part: number;
  /** Epoch ms. */
  readonly watermark: number;
}

/** What a person says in place of a promise; null: nothing is promised. */
export interface Withdrawal {
  readonly watermark: number | null;
  readonly withdrawn: true;
}

type Said = Pick<BatchDocument, 'part' | 'watermark' | 'withdrawn'>;

/** Follows one batch (I1); one that says nothing changes nothing. */
export function follow(watermarks: (number | null)[], { part, watermark, withdrawn }: Said): void {
  if (withdrawn) {
    for (const [p, ms] of watermarks.entries())
      watermarks[p] = ms === null || watermark === null ? null : Math.min(ms, watermark);
    return;
  }
  if (watermark === null || watermark === undefined) return;
  for (let p = watermarks.length; p <= part; p++) watermarks.push(null);
  watermarks[part] = Math.max(watermarks[part] ?? Number.NEGATIVE_INFINITY, watermark);
}

/** Batches as they pass, with what they promise. */
export async function* promising(batches: AsyncIterable<BatchDocument>, watermarks: (number | null)[]) {
  for await (const batch of batches) {
    follow(watermarks, batch);
    yield batch;
  }
}
