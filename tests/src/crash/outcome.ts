/** What a run must come to, whatever interrupted it: decisions, versions, bytes, answers, sums and figures. */
import { createHash } from 'node:crypto';
import type { Control } from '@driftloop/client';
import { Cycle, Decision, Version } from '@driftloop/contracts';
import type { House } from '@driftloop/embedded';
import { score } from '@driftloop/embedded';
import type { Diary } from '@driftloop/flights';

export interface Outcome {
  /** The ledger's entries, in order: what was decided, by whom, for which cycle. */
  readonly ledger: readonly object[];
  readonly ledgerSha256: string;
  readonly cycles: readonly object[];
  readonly versions: readonly object[];
  /** SHA-256 of each version's released and twin bytes, as they lie in the store. */
  readonly bytes: Readonly<Record<string, string>>;
  readonly figures: object;
  /** SHA-256 of all answers, and of what every version would have said. */
  readonly answers: string;
  readonly shadows: string;
  /** Monitoring's sums of each closed day. */
  readonly days: Readonly<Record<string, object>>;
  /** Predictions counted in closed days. */
  readonly counted: number;
}

/** What was played. */
export interface Played {
  readonly model: string;
  readonly truth: ReadonlyMap<string, number>;
  readonly frozenVersion: string;
  readonly diary: Diary;
}

/** What a house has kept, wherever it keeps it. */
export interface Kept {
  /** The bytes of an object. */
  object(key: string): Promise<Uint8Array>;
  /** Monitoring's documents of days, by id. */
  days(): Promise<Readonly<Record<string, object>>>;
}

/** What a house in one process has kept. */
export const keptIn = (house: House): Kept => ({
  object: (key) => house.store.objects.get(key),
  days: async () => daysOf(house),
});

/** Collects the outcome of a run from a running house. */
export async function outcomeOf(kept: Kept, control: Control, played: Played): Promise<Outcome> {
  const { model, truth, frozenVersion, diary } = played;
  const [ledger, cycles, versions] = await Promise.all([
    control.ledger(model),
    control.cycles(model),
    control.versions(model),
  ]);
  const days = await kept.days();
  return {
    ledger: ledger.entries.map(({ position, service, cycleId, decision }) => ({
      ...{ position, service, cycleId },
      decision: decision && Decision.toJSON(decision),
    })) as object[],
    ledgerSha256: ledger.sha256,
    cycles: cycles.map((cycle) => Cycle.toJSON(withoutWallTimes(cycle)) as object),
    versions: versions.map((version) => Version.toJSON(version) as object),
    bytes: await bytesOf(kept, versions),
    figures: score(diary, truth, frozenVersion),
    answers: hashOf(inOrder(diary.answers().values())),
    shadows: hashOf(inOrder(diary.shadows().values())),
    days,
    counted: Object.values(days).reduce((sum, day) => sum + (day as { predictions: number }).predictions, 0),
  };
}

/** Spans tell how long things took, and in which traces: another run takes another while. What was done is the same. */
const withoutWallTimes = (cycle: Cycle): Cycle => ({
  ...cycle,
  spans: cycle.spans
    .map((span) => ({ ...span, started: undefined, ended: undefined, links: [] }))
    .sort((a, b) => (a.spanId < b.spanId ? -1 : 1)),
});

async function bytesOf(kept: Kept, versions: readonly Version[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { version, released, twin } of versions)
    for (const [kind, artifact] of Object.entries({ released, twin }))
      if (artifact) found[`${version} ${kind}`] = sha256(await kept.object(artifact.uri));
  return found;
}

/** Straight from the documents: the public status shows some of a day's sums only. */
function daysOf({ store: { db } }: House): Record<string, object> {
  const rows = db.prepare('SELECT body FROM "doc_monitoring.days"').all() as { body: string }[];
  const days = rows.map(({ body }) => JSON.parse(body) as { _id: string });
  return Object.fromEntries(days.map((day) => [day._id, day]).sort());
}

const inOrder = <T extends { id: string }>(lines: Iterable<T>): T[] =>
  [...lines].sort((a, b) => (a.id < b.id ? -1 : 1));
const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');
const hashOf = (value: unknown): string => sha256(JSON.stringify(value));
