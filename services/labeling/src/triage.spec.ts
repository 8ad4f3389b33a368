import { Outcome } from '@driftloop/contracts';
import type { OutcomeDocument } from './labeling.documents.js';
import { fault, triage } from './triage.js';

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
  const document = { _id: 'F1', label: 'l', entityId: 'F1', entityTime: at(0), revisions: kept, contradictions: [] };
  return new Map([['F1', document]]);
};

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
    ['an impossible confidence', { confidence: 1.5 }, 'confidence'],
  ])('is malformed with %s, and the reason says so', (_, fields, reason) => {
    const found = fault(outcome(fields), []);
    expect(found?.code).toBe('MALFORMED');
    expect(found?.reason).toContain(reason);
  });

  it('is inconsistent when it contradicts a declared rule', () => {
    const rules = [{ attribute: 'arr_delay', atLeast: 15 }];
    const delayed = (value: number, delay: number) =>
      outcome({ value, attributes: { arr_delay: { kind: { $case: 'number', value: delay } } } });
    expect(fault(delayed(0, 33), rules)?.code).toBe('INCONSISTENT');
    expect(fault(delayed(1, 15), rules)).toBeUndefined();
    expect(fault(delayed(0, 14), rules)).toBeUndefined();
  });
});

describe('triage', () => {
  it('accepts the first word on an outcome as revision 1', () => {
    const { accepted, changes } = triage([outcome({})], new Map(), idOf, []);
    expect(accepted).toBe(1);
    expect(changes[0].revision).toMatchObject({ revision: 1, value: 1, confidence: 1 });
  });

  it('takes the same outcome again, later or not, for a duplicate', () => {
    const again = [outcome({}), outcome({ knownAt: at(5) })];
    expect(triage(again, known({ hours: 3, value: 1 }), idOf, [])).toMatchObject({ duplicates: 2, changes: [] });
  });

  it('takes another value that became known later for a revision', () => {
    const { revised, changes } = triage(
      [outcome({ value: 0, knownAt: at(8) })],
      known({ hours: 3, value: 1 }),
      idOf,
      [],
    );
    expect(revised).toBe(1);
    expect(changes[0].revision.revision).toBe(2);
  });

  it('keeps another value of the same moment as a contradiction, once', () => {
    const other = outcome({ value: 0 });
    const { contradictory, changes } = triage([other], known({ hours: 3, value: 1 }), idOf, []);
    expect([contradictory, changes[0].contradictory]).toEqual([1, true]);
    const document = known({ hours: 3, value: 1 }).get('F1')!;
    expect(triage([other, other], known({ hours: 3, value: 1 }), idOf, [])).toMatchObject({
      contradictory: 1,
      duplicates: 1,
    });
    document.contradictions.push({ ...changes[0].revision });
    expect(triage([other], new Map([['F1', document]]), idOf, [])).toMatchObject({ duplicates: 1, changes: [] });
  });

  it('sees earlier rows of the same batch', () => {
    const batch = [outcome({}), outcome({}), outcome({ value: 0, knownAt: at(9) })];
    expect(triage(batch, new Map(), idOf, [])).toMatchObject({ accepted: 1, duplicates: 1, revised: 1 });
  });

  it('rejects a malformed row by its index and takes the rest', () => {
    const batch = [outcome({ entityId: '' }), outcome({ entityId: 'F2' })];
    expect(triage(batch, new Map(), idOf, [])).toMatchObject({
      accepted: 1,
      rejected: [{ index: 0, code: 'MALFORMED' }],
    });
  });
});
