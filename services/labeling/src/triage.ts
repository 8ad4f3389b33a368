/**
 * What a reported outcome is: the first word, a revision, a duplicate, suspect (it breaks a declared rule, disagrees with
 * another word of the same instant, or was known by its question), or malformed. Pure: it knows nothing of documents or
 * the bus.
 *
 * I1  An outcome that was known by its question is no answer to it: it would be a feature of its own row. Let in by a person
 *     it is known from after its question on (outcomes.ts).
 */
import { createHash } from 'node:crypto';
import {
  isEventTime,
  isWholeText,
  Outcome,
  own,
  textLimits,
  unreadableRow,
  wholeTextAdvice,
} from '@driftloop/contracts';
import type { Held, OutcomeChange, OutcomeDocument, QuarantineKind, Revision } from './labeling.documents.js';

export interface Consistency {
  attribute: string;
  atLeast: number;
}

/** What outcomes of a label are held against. */
export interface Rules {
  readonly consistency: readonly Consistency[];
  /** How long before the entity's own time its question is asked. */
  readonly leadMs?: number | undefined;
  /** Epoch ms: nothing can be known later, as yet. */
  readonly latestKnownAt?: number;
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
  /** Of those that are set aside: disagree with another word of the same instant. */
  contradictory: number;
  /** Set aside, whatever the reason. */
  quarantined: number;
  rejected: Rejected[];
}

/** Why an outcome is malformed, or undefined where it is not. */
export function fault(outcome: Outcome): { code: string; reason: string } | undefined {
  const malformed = (reason: string) => ({ code: 'MALFORMED', reason });
  const unreadable = unreadableRow(outcome);
  if (unreadable) return malformed(unreadable);
  if (!outcome.entityId) return malformed('entity_id is missing');
  const { name: longest, text } = textLimits;
  if (outcome.entityId.length > longest) return malformed(`entity_id is longer than ${longest} characters`);
  if (outcome.source.length > longest) return malformed(`source is longer than ${longest} characters`);
  for (const [name, { kind }] of Object.entries(outcome.attributes))
    if (name.length > longest || (kind?.$case === 'text' && kind.value.length > text))
      return malformed(`an attribute has a name longer than ${longest} or a text longer than ${text} characters`);
  const broken = brokenText(outcome);
  if (broken) return malformed(`${broken} cannot be kept as it is; ${wholeTextAdvice}`);
  for (const [name, { kind }] of Object.entries(outcome.attributes))
    if (kind?.$case === 'time' && !isEventTime(kind.value))
      return malformed(`attribute "${name}" is not a time between 1900 and 2200`);
  const wrong = (time: Date | undefined) => (time ? 'is not a time between 1900 and 2200' : 'is missing');
  if (!isEventTime(outcome.entityTime))
    return malformed(`entity_time ${wrong(outcome.entityTime)}: the entity's own time`);
  if (!isEventTime(outcome.knownAt))
    return malformed(`known_at ${wrong(outcome.knownAt)}: when the outcome became known`);
  if (outcome.value !== 0 && outcome.value !== 1)
    return malformed(`value is ${outcome.value}; a binary label is 0 or 1`);
  if (!(outcome.confidence >= 0 && outcome.confidence <= 1))
    return malformed(`confidence is ${outcome.confidence}; it lies between 0 and 1`);
  return undefined;
}

/** Which of an outcome's texts is none that can be kept whole. */
function brokenText({ entityId, source, attributes }: Outcome): string | undefined {
  if (!isWholeText(entityId)) return 'entity_id';
  if (!isWholeText(source)) return 'source';
  for (const [name, { kind }] of Object.entries(attributes)) {
    if (!isWholeText(name)) return 'the name of an attribute';
    if (kind?.$case === 'text' && !isWholeText(kind.value)) return `attribute "${name}"`;
  }
  return undefined;
}

/** Which declared rule an outcome breaks, in words; undefined where none. */
export function inconsistency(outcome: Outcome, consistency: readonly Consistency[]): string | undefined {
  for (const { attribute, atLeast } of consistency) {
    const kind = own(outcome.attributes, attribute)?.kind;
    if (kind?.$case === 'number' && outcome.value !== (kind.value >= atLeast ? 1 : 0))
      return `value is ${outcome.value} but ${attribute} is ${kind.value}, where 1 means at least ${atLeast}`;
  }
  return undefined;
}

/** When an outcome's question was asked, epoch ms; undefined where that is not known. */
export const askedAt = ({ entityTime }: Pick<Outcome, 'entityTime'>, leadMs: number | undefined): number | undefined =>
  leadMs === undefined ? undefined : entityTime!.getTime() - leadMs;

/** I1: in words; undefined where the outcome became known after its question. */
export function earliness(outcome: Outcome, leadMs: number | undefined): string | undefined {
  const [asked, known] = [askedAt(outcome, leadMs), outcome.knownAt!.getTime()];
  if (asked === undefined || known > asked) return undefined;
  return `known at ${dated(known)}, and its question was asked at ${dated(asked)}, ${leadMs! / 60_000} minutes before entity_time`;
}

function ahead({ knownAt }: Outcome, { latestKnownAt = Number.POSITIVE_INFINITY }: Rules) {
  if (knownAt!.getTime() <= latestKnownAt) return undefined;
  const reason = `known_at is ${knownAt!.toISOString()}, and nothing can be known yet after ${dated(latestKnownAt)}`;
  return { code: 'KNOWN_AHEAD', reason };
}

const dated = (ms: number): string => new Date(ms).toISOString();

/**
 * Sorts reported outcomes against what is known (by outcome id) and what is in quarantine already (by item id), in the
 * order of the report.
 */
export function triage(
  outcomes: readonly Outcome[],
  known: ReadonlyMap<string, OutcomeDocument>,
  idOf: (outcome: Outcome) => string,
  rules: Rules,
  quarantined: ReadonlySet<string> = new Set(),
): Triage {
  const result: Triage = { changes: [], ...blank, rejected: [] };
  const histories = new Map<string, Revision[]>();
  const aside = new Set(quarantined);
  outcomes.forEach((outcome, index) => {
    const problem = fault(outcome) ?? ahead(outcome, rules);
    if (problem) {
      result.rejected.push({ index, ...problem });
      return;
    }
    const id = idOf(outcome);
    const revisions = histories.get(id) ?? [...(known.get(id)?.revisions ?? [])];
    histories.set(id, revisions);
    const revision = revisionOf(outcome, revisions);
    const change = { outcome: id, entityId: outcome.entityId, entityTime: outcome.entityTime!, revision };
    const early = earliness(outcome, rules.leadMs);
    const broken = early ?? inconsistency(outcome, rules.consistency);
    const found = early ? 'known_early' : broken ? 'inconsistent' : sort(revision, revisions);
    if (found === 'known_early' || found === 'inconsistent' || found === 'contradictory') {
      const held = heldOf(id, outcome, found, broken ?? disagreement(revision, revisions));
      if (aside.has(held.id)) result.duplicates++;
      else {
        aside.add(held.id);
        result.quarantined++;
        if (found === 'contradictory') result.contradictory++;
        result.changes.push({ ...change, held });
      }
      return;
    }
    result[found]++;
    if (found === 'duplicates') return;
    revisions.push(revision);
    result.changes.push(change);
  });
  return result;
}

const blank = { accepted: 0, revised: 0, duplicates: 0, contradictory: 0, quarantined: 0 };

/** A revision as it would be kept behind those that there are. */
export function revisionOf(outcome: Outcome, revisions: readonly Revision[], knownAt = outcome.knownAt!): Revision {
  const { value, source, confidence } = outcome;
  return { knownAt, value, source, confidence: confidence || 1, revision: revisions.length + 1 };
}

/** What a consistent outcome is to those that are known. */
export function sort(
  revision: Revision,
  revisions: readonly Revision[],
): 'accepted' | 'revised' | 'duplicates' | 'contradictory' {
  const at = revision.knownAt.getTime();
  const same = revisions.find((r) => r.knownAt.getTime() === at);
  const before = revisions
    .filter((r) => r.knownAt.getTime() < at)
    .sort((a, b) => b.knownAt.getTime() - a.knownAt.getTime())[0];
  if (same ? same.value === revision.value : before?.value === revision.value) return 'duplicates';
  if (same) return 'contradictory';
  return revisions.length ? 'revised' : 'accepted';
}

function disagreement({ knownAt, value }: Revision, revisions: readonly Revision[]): string {
  const other = revisions.find((r) => r.knownAt.getTime() === knownAt.getTime())!;
  return `value is ${value}, but ${other.value} by "${other.source}" as of the same instant`;
}

function heldOf(id: string, outcome: Outcome, kind: QuarantineKind, reason: string): Held {
  const { knownAt, value, source } = outcome;
  const named = createHash('sha256').update(JSON.stringify([id, knownAt!.getTime(), value, source, kind]));
  const row = JSON.stringify(Outcome.toJSON(outcome));
  return { id: `labeling/${named.digest('hex').slice(0, 24)}`, kind, reason, row };
}
