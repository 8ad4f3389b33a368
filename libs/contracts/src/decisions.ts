/** Decisions, as the ledger keeps them: what was decided, when in event time, on what evidence. */
import { createHash } from 'node:crypto';
import { Decision, Evidence } from './gen/driftloop/v1/values.js';

/** What a decision says; evidence may leave out what does not apply. */
export interface DecisionFacts {
  /** e.g. "gate", "stage", "judgement". */
  readonly kind: string;
  readonly outcome: string;
  /** What was decided upon, e.g. "main/flights/v3" or a cycle id: part of the id, so that two decisions never share one. */
  readonly subject: string;
  /** Event time, epoch ms. */
  readonly time: number;
  readonly reasons?: readonly string[];
  readonly evidence?: readonly Partial<Evidence>[];
}

/** A decision with a deterministic id: the same decision made again, after a crash or elsewhere, has the same id. */
export function decision({ kind, outcome, subject, time, reasons = [], evidence = [] }: DecisionFacts): Decision {
  const id = createHash('sha256')
    .update(JSON.stringify([kind, subject, outcome, time]))
    .digest('hex')
    .slice(0, 32);
  return {
    id,
    eventTime: new Date(time),
    kind,
    outcome,
    reasons: [...reasons],
    evidence: evidence.map((e) => Evidence.fromPartial(e)),
  };
}
