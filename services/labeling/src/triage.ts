/**
 * What a reported outcome is: the first word, a revision, a duplicate, a contradiction, or malformed.
 * Pure: it knows nothing of documents or the bus.
 */
import { isEventTime, type Outcome } from '@driftloop/contracts';
import type { OutcomeChange, OutcomeDocument, Revision } from './labeling.documents.js';

export interface Consistency {
  attribute: string;
  atLeast: number;
}

export interface Rejected {
  index: number;
  code: string;
  reason: string;
}

export interface Triage {
  changes: OutcomeChange[];
  accepted: number;
  revised: number;
  duplicates: number;
  contradictory: number;
  rejected: Rejected[];
}

/** Why an outcome cannot be taken, or undefined where it can. */
export function fault(
  outcome: Outcome,
  consistency: readonly Consistency[],
): { code: string; reason: string } | undefined {
  const malformed = (reason: string) => ({ code: 'MALFORMED', reason });
  if (!outcome.entityId) return malformed('entity_id is missing');
  if (outcome.entityId.length > 256) return malformed('entity_id is longer than 256 characters');
  const wrong = (time: Date | undefined) => (time ? 'is not a time between 1900 and 2200' : 'is missing');
  if (!isEventTime(outcome.entityTime))
    return malformed(`entity_time ${wrong(outcome.entityTime)}: the entity's own time`);
  if (!isEventTime(outcome.knownAt))
    return malformed(`known_at ${wrong(outcome.knownAt)}: when the outcome became known`);
  if (outcome.value !== 0 && outcome.value !== 1)
    return malformed(`value is ${outcome.value}; a binary label is 0 or 1`);
  if (!(outcome.confidence >= 0 && outcome.confidence <= 1))
    return malformed(`confidence is ${outcome.confidence}; it lies between 0 and 1`);
  for (const { attribute, atLeast } of consistency) {
    const kind = outcome.attributes[attribute]?.kind;
    if (kind?.$case === 'number' && outcome.value !== (kind.value >= atLeast ? 1 : 0))
      return {
        code: 'INCONSISTENT',
        reason: `value is ${outcome.value} but ${attribute} is ${kind.value}, where 1 means at least ${atLeast}`,
      };
  }
  return undefined;
}

/** Sorts reported outcomes against what is known (by outcome id), in the order of the report. */
export function triage(
  outcomes: readonly Outcome[],
  known: ReadonlyMap<string, OutcomeDocument>,
  idOf: (outcome: Outcome) => string,
  consistency: readonly Consistency[],
): Triage {
  const result: Triage = { changes: [], accepted: 0, revised: 0, duplicates: 0, contradictory: 0, rejected: [] };
  const histories = new Map<string, Pick<OutcomeDocument, 'revisions' | 'contradictions'>>();
  outcomes.forEach((outcome, index) => {
    const problem = fault(outcome, consistency);
    if (problem) {
      result.rejected.push({ index, ...problem });
      return;
    }
    const id = idOf(outcome);
    const seen = known.get(id);
    const history = histories.get(id) ?? {
      revisions: [...(seen?.revisions ?? [])],
      contradictions: [...(seen?.contradictions ?? [])],
    };
    histories.set(id, history);
    const { revisions, contradictions } = history;
    const revision: Revision = {
      knownAt: outcome.knownAt!,
      value: outcome.value,
      source: outcome.source,
      confidence: outcome.confidence || 1,
      revision: revisions.length + 1,
    };
    const contradictory = sort(revision, revisions, contradictions, result);
    if (contradictory === undefined) return;
    (contradictory ? contradictions : revisions).push(revision);
    result.changes.push({
      outcome: id,
      entityId: outcome.entityId,
      entityTime: outcome.entityTime!,
      revision,
      contradictory,
    });
  });
  return result;
}

/** Counts one outcome; tells whether it is a contradiction, or undefined for a duplicate. */
function sort(
  revision: Revision,
  revisions: Revision[],
  contradictions: Revision[],
  counts: Triage,
): boolean | undefined {
  const at = revision.knownAt.getTime();
  const same = revisions.find((r) => r.knownAt.getTime() === at);
  const before = revisions
    .filter((r) => r.knownAt.getTime() < at)
    .sort((a, b) => b.knownAt.getTime() - a.knownAt.getTime())[0];
  if (same ? same.value === revision.value : before?.value === revision.value) {
    counts.duplicates++;
    return undefined;
  }
  if (same) {
    const again = contradictions.some((r) => r.knownAt.getTime() === at && r.value === revision.value);
    if (again) counts.duplicates++;
    else counts.contradictory++;
    return again ? undefined : true;
  }
  if (revisions.length) counts.revised++;
  else counts.accepted++;
  return false;
}
