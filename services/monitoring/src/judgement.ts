/** The judge's word on a stage of a rollout, on its way out; and how a trial stands that has none yet. */
import type { Evidence, Verdict } from '@driftloop/contracts';

export interface Judgement {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** How a trial stands: its word, if it has earned one, the tests so far, and what it lacks for a word. */
export interface Standing {
  readonly judgement?: Judgement;
  readonly evidence: readonly Evidence[];
  readonly lacks: readonly string[];
}
