/**
 * The ledger: every decision of a model's loop, monitoring's own and those heard, in the order of event time, cause and id
 * (docs/decisions/0016), chained by hash. A projection of documents: it is computed when it is read, so nothing can be applied twice.
 *
 * I1  Only event-time fields enter: no wall clock, no log position, no note of a person.
 * I2  An entry's hash covers the hash before it, so that the last one names the whole.
 * I3  It ends at its watermark, the tick before the last one handled: everything of such a time was told before that tick
 *     (docs/decisions/0003), so that what has once been read is never changed, only added to. What a person commands
 *     is dated at the last tick (and so enters at the next but one): the same commands between the same ticks give the
 *     same ledger.
 */
import { createHash } from 'node:crypto';
import {
  canonicalJson,
  compareDecisions,
  Decision,
  type Ledger as LedgerMessage,
  ModelApproved,
  ModelPromoted,
  ModelRefused,
  ModelRolledBack,
  RolloutChanged,
} from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { LoopDocuments } from './loop.documents.js';
import type { CycleDocument, FactDocument, SignalDocument } from './loop-rows.js';

interface Entry {
  readonly service: string;
  readonly cycleId: string;
  readonly decision: Decision;
}

/** Which entries are wanted. */
export interface LedgerPage {
  /** Those behind this position. */
  after: number;
  limit: number;
}

const most = 1000;

@Injectable()
export class Ledger {
  constructor(private readonly documents: LoopDocuments) {}

  /** Decisions about a model (tenant/model) at or before the watermark: at most 1,000, or `limit`, behind `after`. */
  async read(series: string, { after, limit }: LedgerPage): Promise<LedgerMessage> {
    const [clock, facts, cycles, signals] = await Promise.all([
      this.documents.clock(),
      this.documents.factsOf(series),
      this.documents.cyclesOf(series),
      this.documents.signalsOf(series),
    ]);
    const watermark = clock?.previous ?? Number.NEGATIVE_INFINITY;
    const all = [...cycles.flatMap(ownDecisions), ...facts.flatMap(heardDecision), ...signals.map(toldDecision)];
    const { entries, sha256 } = chain(all.filter((entry) => timeOf(entry) <= watermark));
    const page = entries.slice(after, after + (limit > 0 ? Math.min(limit, most) : most));
    const until = Number.isFinite(watermark) ? new Date(watermark) : undefined;
    return { entries: page, sha256, total: entries.length, watermark: until };
  }
}

const ownDecisions = ({ _id, steps }: CycleDocument): Entry[] =>
  steps
    .filter((step) => step.service === 'monitoring' && step.decision)
    .map((step) => ({ service: 'monitoring', cycleId: _id, decision: Decision.fromJSON(step.decision) }));

const toldDecision = ({ decision }: SignalDocument): Entry => ({
  service: 'monitoring',
  cycleId: '',
  decision: Decision.fromJSON(decision),
});

interface Spoken {
  cycleId: string;
  decision: Decision | undefined;
}

const spoken: Record<string, (payload: unknown) => Spoken> = {
  'model.approved': ModelApproved.fromJSON,
  'model.refused': ModelRefused.fromJSON,
  'model.promoted': ModelPromoted.fromJSON,
  'model.rolled-back': ModelRolledBack.fromJSON,
  'rollout.changed': (payload) => {
    const { rollout, decision } = RolloutChanged.fromJSON(payload);
    return { cycleId: rollout?.cycleId ?? '', decision };
  },
};

function heardDecision({ topic, payload }: FactDocument): Entry[] {
  if (!spoken[topic]) return [];
  const { cycleId, decision } = spoken[topic](JSON.parse(payload));
  return decision ? [{ service: 'registry', cycleId, decision }] : [];
}

const timeOf = ({ decision }: Entry): number => decision.eventTime?.getTime() ?? 0;

const named = ({ decision, service }: Entry): string => `${decision.id} ${service} ${decision.kind}`;

/** Orders and chains decisions; one that is told by several facts stands once. */
export function chain(decisions: readonly Entry[]): Pick<LedgerMessage, 'entries' | 'sha256'> {
  const once = new Map(decisions.map((entry) => [named(entry), entry]));
  const ordered = [...once.values()].sort(
    (a, b) => compareDecisions(a.decision, b.decision) || (named(a) < named(b) ? -1 : 1),
  );
  let sha256 = '';
  const entries = ordered.map(({ service, cycleId, decision }, i) => {
    const content = { position: i + 1, service, cycleId, decision: Decision.toJSON(decision) };
    sha256 = createHash('sha256')
      .update(sha256 + canonicalJson(content))
      .digest('hex');
    return { position: i + 1, service, cycleId, decision, sha256 };
  });
  return { entries, sha256 };
}
