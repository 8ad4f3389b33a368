/**
 * The ledger: every decision of a model's loop, monitoring's own and those heard, in the order of event time and id,
 * chained by hash. A projection of documents: it is computed when it is read, so nothing can be applied twice.
 *
 * I1  Only event-time fields enter: no wall clock, no log position.
 * I2  An entry's hash covers the hash before it, so that the last one names the whole.
 */
import { createHash } from 'node:crypto';
import {
  canonicalJson,
  Decision,
  type Ledger as LedgerMessage,
  ModelApproved,
  ModelPromoted,
  ModelRefused,
  ModelRolledBack,
} from '@driftloop/contracts';
import { Injectable } from '@nestjs/common';
import { type FactDocument, LoopDocuments } from './loop.documents.js';

interface Entry {
  readonly service: string;
  readonly cycleId: string;
  readonly decision: Decision;
}

@Injectable()
export class Ledger {
  constructor(private readonly documents: LoopDocuments) {}

  /** Every decision about a model (tenant/model) so far. */
  async read(series: string): Promise<LedgerMessage> {
    const [facts, cycles, signals] = await Promise.all([
      this.documents.factsOf(series),
      this.documents.cyclesOf(series),
      this.documents.signalsOf(series),
    ]);
    const own = cycles.flatMap(({ _id, steps }) =>
      steps
        .filter((step) => step.service === 'monitoring' && step.decision)
        .map((step) => ({ service: 'monitoring', cycleId: _id, decision: Decision.fromJSON(step.decision) })),
    );
    const heard = facts.flatMap(heardDecision);
    const sounded = signals.map((signal) => ({
      service: 'monitoring',
      cycleId: '',
      decision: Decision.fromJSON(signal.decision),
    }));
    return chain([...own, ...heard, ...sounded]);
  }
}

const spoken: Record<string, (payload: unknown) => { cycleId: string; decision: Decision | undefined }> = {
  'model.approved': ModelApproved.fromJSON,
  'model.refused': ModelRefused.fromJSON,
  'model.promoted': ModelPromoted.fromJSON,
  'model.rolled-back': ModelRolledBack.fromJSON,
};

function heardDecision({ topic, payload }: FactDocument): Entry[] {
  if (!spoken[topic]) return [];
  const { cycleId, decision } = spoken[topic](JSON.parse(payload));
  return decision ? [{ service: 'registry', cycleId, decision }] : [];
}

const timeOf = ({ decision }: Entry): number => decision.eventTime?.getTime() ?? 0;

const rank = ({ decision, service }: Entry): string => `${decision.id} ${service} ${decision.kind}`;

/** Orders and chains decisions. */
export function chain(decisions: readonly Entry[]): LedgerMessage {
  const ordered = [...decisions].sort((a, b) => timeOf(a) - timeOf(b) || (rank(a) < rank(b) ? -1 : 1));
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
