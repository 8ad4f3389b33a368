import { createHash } from 'node:crypto';
import { canonicalJson, Decision, decision, type Ledger } from '@driftloop/contracts';
import { verifyLedger } from './ledger.js';

/** A ledger as monitoring makes it. */
function ledgerOf(count: number): Ledger {
  let sha256 = '';
  const entries = Array.from({ length: count }, (_, i) => {
    const evidence = [{ test: 'growth', statistic: 0.5 + i, threshold: 0.5, holds: true, windowStart: new Date(i) }];
    const facts = {
      kind: 'gate',
      outcome: 'approved',
      subject: `v${i}`,
      time: 1e12 + i * 1000,
      reasons: ['ä, "b"'],
      evidence,
    };
    const content = { position: i + 1, service: 'registry', cycleId: `c${i}`, decision: decision(facts) };
    const text = canonicalJson({ ...content, decision: Decision.toJSON(content.decision) });
    sha256 = createHash('sha256')
      .update(sha256 + text)
      .digest('hex');
    return { ...content, sha256 };
  });
  return { entries, sha256, total: count, watermark: undefined };
}

describe('the check of a ledger', () => {
  it('finds a ledger whole, and names it by its last hash', () => {
    const ledger = ledgerOf(5);
    expect(verifyLedger(ledger)).toEqual({ whole: true, entries: 5, sha256: ledger.sha256 });
    expect(verifyLedger(ledgerOf(0))).toEqual({ whole: true, entries: 0, sha256: '' });
  });

  it.each<[string, (ledger: Ledger) => void, number, RegExp]>([
    [
      'an outcome is changed',
      ({ entries }) => {
        entries[2].decision!.outcome = 'refused';
      },
      3,
      /its hash is/,
    ],
    [
      'evidence is changed',
      ({ entries }) => {
        entries[1].decision!.evidence[0].statistic = 9;
      },
      2,
      /its hash is/,
    ],
    [
      'a cycle is changed',
      ({ entries }) => {
        entries[4].cycleId = 'other';
      },
      5,
      /its hash is/,
    ],
    ['an entry is left out', ({ entries }) => void entries.splice(1, 1), 2, /says that it is entry 3/],
    ['entries change places', ({ entries }) => void entries.splice(1, 2, entries[2], entries[1]), 2, /entry 3/],
    ['the end is cut off', ({ entries }) => void entries.pop(), 5, /ends with .* after 4, and should with/],
    [
      'time goes back',
      ({ entries }) => {
        entries[3].decision!.eventTime = new Date(0);
      },
      4,
      /older/,
    ],
    [
      'an entry has no time',
      ({ entries }) => {
        entries[0].decision!.eventTime = undefined;
      },
      1,
      /no event time/,
    ],
    [
      'the whole has another hash',
      (ledger) => {
        ledger.sha256 = 'ff';
      },
      6,
      /should with ff/,
    ],
  ])('says where it breaks when %s', (_what, change, brokenAt, reason) => {
    const ledger = ledgerOf(5);
    change(ledger);
    expect(verifyLedger(ledger)).toMatchObject({ whole: false, brokenAt, reason: expect.stringMatching(reason) });
  });

  it('does not believe a chain that was computed again after a change of order', () => {
    const ledger = ledgerOf(3);
    const [first, second] = ledger.entries;
    second.decision!.eventTime = first.decision!.eventTime;
    const ids = [first.decision!.id, second.decision!.id];
    if (ids[0] < ids[1]) [first.decision!.id, second.decision!.id] = [ids[1], ids[0]];
    let sha256 = '';
    for (const entry of ledger.entries) {
      const { sha256: _old, ...content } = entry;
      const text = canonicalJson({ ...content, decision: Decision.toJSON(content.decision!) });
      sha256 = createHash('sha256')
        .update(sha256 + text)
        .digest('hex');
      entry.sha256 = sha256;
    }
    expect(verifyLedger({ ...ledger, sha256 })).toMatchObject({ whole: false, brokenAt: 2 });
  });

  it('wants causes before effects within an instant', () => {
    const time = 1e12;
    const [gate, stage] = (['gate', 'stage'] as const).map((kind) =>
      decision({ kind, outcome: 'x', subject: 'v1', time }),
    );
    const chained = (decisions: readonly (typeof gate)[]): Ledger => {
      let sha256 = '';
      const entries = decisions.map((said, i) => {
        const content = { position: i + 1, service: 'registry', cycleId: 'c', decision: said };
        sha256 = createHash('sha256')
          .update(sha256 + canonicalJson({ ...content, decision: Decision.toJSON(said) }))
          .digest('hex');
        return { ...content, sha256 };
      });
      return { entries, sha256, total: entries.length, watermark: undefined };
    };
    expect(verifyLedger(chained([gate, stage]))).toMatchObject({ whole: true });
    expect(verifyLedger(chained([stage, gate]))).toMatchObject({
      whole: false,
      reason: expect.stringMatching(/by cause/),
    });
  });
});
