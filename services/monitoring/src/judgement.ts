/** The judge's word on a stage of a rollout, on its way out. */
import type { Evidence, Verdict } from '@driftloop/contracts';

export interface Judgement {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly evidence: readonly Evidence[];
}
