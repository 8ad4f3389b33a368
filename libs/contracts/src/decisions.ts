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

/**
 * What of one instant comes before what (docs/decisions/0016): people's words and suspicions, what they and the tests say of a
 * trial, what the registry makes of it, the end of the cycle, and what follows from that. Kinds of later come last.
 */
const causalOrder = [
  ...['hold', 'quarantine', 'silence', 'judgement', 'gate', 'stage', 'alias promoted', 'alias', 'cycle.closed'],
  ...['breaker', 'signal', 'cycle.opened'],
];

/**
 * The ledger's order, total over decisions with different ids, of the decisions alone: by event time; of one instant causes
 * before their effects; of the same rank by id. A decision without an event time stands first.
 */
export function compareDecisions(a: Decision, b: Decision): number {
  const time = (said: Decision) => said.eventTime?.getTime() ?? Number.NEGATIVE_INFINITY;
  if (time(a) !== time(b)) return time(a) - time(b);
  return causalRank(a) - causalRank(b) || (a.id === b.id ? 0 : a.id < b.id ? -1 : 1);
}

function causalRank({ kind, outcome }: Decision): number {
  const exact = causalOrder.indexOf(`${kind} ${outcome}`);
  const rank = exact === -1 ? causalOrder.indexOf(kind) : exact;
  return rank === -1 ? causalOrder.length : rank;
}
