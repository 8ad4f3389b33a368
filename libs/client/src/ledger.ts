/**
 * Checking a ledger: the chain is computed anew from the entries alone, in code of its own, so that it need not be believed
 * of whoever sent it. An entry's hash is SHA-256 over the hash before it (hex; empty at the first) and the entry's canonical
 * JSON: position, service, cycleId and decision, keys sorted at every depth.
 */
import { createHash } from 'node:crypto';
import { compareDecisions, Decision, type Ledger, type LedgerEntry } from '@driftloop/contracts';

/** What a check has found. */
export interface LedgerCheck {
  readonly whole: boolean;
  readonly entries: number;
  /** As computed here, up to the first break. */
  readonly sha256: string;
  /** The first entry that does not follow from those before it, and why. */
  readonly brokenAt?: number;
  readonly reason?: string;
}

/** Verifies all of a ledger's entries, from the first: their order, their positions, their hashes, and the hash of the whole. */
export function verifyLedger({ entries, sha256, total }: Ledger): LedgerCheck {
  let hash = '';
  for (const [i, entry] of entries.entries()) {
    const reason = misplaced(entry, i + 1, entries[i - 1]) ?? altered(entry, hash);
    if (reason) return { whole: false, entries: entries.length, sha256: hash, brokenAt: i + 1, reason };
    hash = entry.sha256;
  }
  const found = { entries: entries.length, sha256: hash };
  if (hash === sha256 && entries.length === total) return { whole: true, ...found };
  const reason = `it ends with ${hash || 'nothing'} after ${entries.length}, and should with ${sha256} after ${total}`;
  return { whole: false, ...found, brokenAt: entries.length + 1, reason };
}

const timeOf = ({ decision }: LedgerEntry): number => decision?.eventTime?.getTime() ?? Number.NaN;

function misplaced(entry: LedgerEntry, position: number, before: LedgerEntry | undefined): string | undefined {
  if (entry.position !== position) return `it says that it is entry ${entry.position}`;
  if (Number.isNaN(timeOf(entry))) return 'it has no event time';
  if (!before || compareDecisions(before.decision!, entry.decision!) <= 0) return undefined;
  return timeOf(before) > timeOf(entry)
    ? 'it is older than the entry before it'
    : 'it comes, by cause and id, before an entry of the same time that stands before it';
}

function altered({ position, service, cycleId, decision, sha256 }: LedgerEntry, before: string): string | undefined {
  const content = sortedJson({ position, service, cycleId, decision: Decision.toJSON(decision!) });
  const computed = createHash('sha256')
    .update(before + content)
    .digest('hex');
  return computed === sha256 ? undefined : `its hash is ${sha256}, and should be ${computed}`;
}

/** JSON with the keys of objects in the order of their code units, at every depth. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => (one === undefined ? 'null' : sortedJson(one))).join(',')}]`;
  if (value === null || typeof value !== 'object' || value instanceof Date) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${sortedJson(field)}`).join(',')}}`;
}
