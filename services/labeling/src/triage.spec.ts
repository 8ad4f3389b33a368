import { Outcome } from '@driftloop/contracts';
import type { OutcomeDocument } from './labeling.documents.js';
import { fault, inconsistency, triage } from './triage.js';

const at = (hours: number) => new Date(Date.UTC(2013, 0, 1, hours));
const outcome = (fields: Partial<Outcome>): Outcome =>
  Outcome.fromPartial({ entityId: 'F1', entityTime: at(0), knownAt: at(3), value: 1, source: 'bts', ...fields });
const idOf = (o: Outcome) => o.entityId;
const known = (...revisions: { hours: number; value: number }[]): ReadonlyMap<string, OutcomeDocument> => {
  const kept = revisions.map(({ hours, value }, i) => ({
    knownAt: at(hours),
    value,
    source: 'bts',
    confidence: 1,
    revision: i + 1,
  }));
  const document = { _id: 'F1', label: 'l', entityId: 'F1', entityTime: at(0), revisions: kept };
  return new Map([['F1', document]]);
};

const none = { consistency: [] };

describe('an outcome', () => {
  it.each([
    ['no entity', { entityId: '' }, 'entity_id'],
    ['no entity time', { entityTime: undefined }, 'entity_time'],
    ['no known-at', { knownAt: undefined }, 'known_at'],
    ['an impossible date', { knownAt: new Date(Number.NaN) }, 'known_at'],
    ['a time that the feature store would refuse', { knownAt: new Date(Date.UTC(2999, 0)) }, 'known_at'],
    ['seconds taken for ms before 1900', { entityTime: new Date(-1e13) }, 'entity_time'],
    ['a value that is neither 0 nor 1', { value: 2 }, 'value is 2'],
    ['no number', { value: Number.NaN }, 'NaN'],
    ['a NUL in its entity', { entityId: 'F1\0x' }, 'entity_id cannot be kept as it is; send text in UTF-8 without NUL'],
    ['a NUL in its source', { source: 'bts\0' }, 'source cannot be kept'],
    ['half a character in its entity', { entityId: 'F\ud800' }, 'entity_id cannot be kept'],
    [
      'a NUL in an attribute',
      { attributes: { gate: { kind: { $case: 'text' as const, value: 'A\0' } } } },
      'attribute "gate" cannot be kept',
    ],
    ['an impossible confidence', { confidence: 1.5 }, 'confidence'],
  ])('is malformed with %s, and the reason says so', (_, fields, reason) => {
    const found = fault(outcome(fields));
    expect(found?.code).toBe('MALFORMED');
    expect(found?.reason).toContain(reason);
  });

  it('is inconsistent when it contradicts a declared rule', () => {
    const rules = [{ attribute: 'arr_delay', atLeast: 15 }];
    const delayed = (value: number, delay: number) =>
      outcome({ value, attributes: { arr_delay: { kind: { $case: 'number', value: delay } } } });
    expect(inconsistency(delayed(0, 33), rules)).toBe('value is 0 but arr_delay is 33, where 1 means at least 15');
    expect(inconsistency(delayed(1, 15), rules)).toBeUndefined();
    expect(inconsistency(delayed(0, 14), rules)).toBeUndefined();
    expect(inconsistency(outcome({ value: 0 }), rules)).toBeUndefined();
  });
});

describe('triage', () => {
  it('accepts the first word on an outcome as revision 1', () => {
    const { accepted, changes } = triage([outcome({})], new Map(), idOf, none);
    expect(accepted).toBe(1);
    expect(changes[0].revision).toMatchObject({ revision: 1, value: 1, confidence: 1 });
  });

  it('takes the same outcome again, later or not, for a duplicate', () => {
    const again = [outcome({}), outcome({ knownAt: at(5) })];
    expect(triage(again, known({ hours: 3, value: 1 }), idOf, none)).toMatchObject({ duplicates: 2, changes: [] });
  });

  it('takes another value that became known later for a revision', () => {
    const { revised, changes } = triage(
      [outcome({ value: 0, knownAt: at(8) })],
      known({ hours: 3, value: 1 }),
      idOf,
      none,
    );
    expect(revised).toBe(1);
    expect(changes[0].revision.revision).toBe(2);
  });

  it('sets another value of the same moment aside, once', () => {
    const other = outcome({ value: 0 });
    const first = triage([other, other], known({ hours: 3, value: 1 }), idOf, none);
    expect(first).toMatchObject({ accepted: 0, contradictory: 1, quarantined: 1, duplicates: 1 });
    const [{ held }] = first.changes;
    expect(held).toMatchObject({ kind: 'contradictory', reason: 'value is 0, but 1 by "bts" as of the same instant' });
    const again = triage([other], known({ hours: 3, value: 1 }), idOf, none, new Set([held!.id]));
    expect(again).toMatchObject({ duplicates: 1, quarantined: 0, changes: [] });
  });

  it('sets what breaks a rule aside, and takes the outcome once it comes as the rule wants it', () => {
    const rules = { consistency: [{ attribute: 'delay', atLeast: 15 }] };
    const told = (value: number) => outcome({ value, attributes: { delay: { kind: { $case: 'number', value: 20 } } } });
    const sorted = triage([told(0), told(0), told(1)], new Map(), idOf, rules);
    expect(sorted).toMatchObject({ accepted: 1, quarantined: 1, contradictory: 0, duplicates: 1 });
    expect(sorted.changes.map(({ held }) => held?.kind)).toEqual(['inconsistent', undefined]);
    expect(sorted.changes[1].revision.revision).toBe(1);
  });

  it('sees earlier rows of the same batch', () => {
    const batch = [outcome({}), outcome({}), outcome({ value: 0, knownAt: at(9) })];
    expect(triage(batch, new Map(), idOf, none)).toMatchObject({ accepted: 1, duplicates: 1, revised: 1 });
  });

  it('rejects a malformed row by its index and takes the rest', () => {
    const batch = [outcome({ entityId: '' }), outcome({ entityId: 'F2' })];
    expect(triage(batch, new Map(), idOf, none)).toMatchObject({
      accepted: 1,
      rejected: [{ index: 0, code: 'MALFORMED' }],
    });
  });
});
