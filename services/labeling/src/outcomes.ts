/**
 * Recording outcomes: what is new goes to the journal together with its event, then to the outcomes.
 *
 * I1  The journal's changes and the labels.added that tells of them are one write.
 * I2  A journal's open changes are applied to the outcomes before the next are triaged, also after a crash.
 * I3  One writer a label in a process; between processes the journal's sequence decides, and the loser retries.
 */
import {
  entityBucket,
  events,
  isEventTime,
  type Label,
  LabelsAdded,
  labelBuckets,
  type Outcome,
  type RecordOutcomesReply,
  type RecordOutcomesRequest,
} from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { Serial } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { type DeclaredLabelDocument, LabelingDocuments, type OutcomeChange } from './labeling.documents.js';
import { type Triage, triage } from './triage.js';

const maxOutcomes = 5000;
/** Requests of one label that wait for their turn. */
const maxWaiting = 200;
/** Labels in one event: well under the bus's 1 MiB. */
const maxLabelsInEvent = 2000;

const lineOf = (label: string) => new Serial(maxWaiting, (limit) => errors.TOO_BUSY({ label, limit }));

@Injectable()
export class Outcomes {
  private readonly lines = new Map<string, Serial>();

  constructor(
    private readonly documents: LabelingDocuments,
    private readonly outbox: Outbox,
  ) {}

  /** Records a batch and tells of it. Throws UNKNOWN_LABEL, TOO_MANY_OUTCOMES, WATERMARK_INVALID; retriable: JOURNAL_BUSY, TOO_BUSY. */
  async record(tenant: string, request: RecordOutcomesRequest, cause: Cause): Promise<RecordOutcomesReply> {
    if (request.outcomes.length > maxOutcomes)
      throw errors.TOO_MANY_OUTCOMES({ rows: request.outcomes.length, limit: maxOutcomes });
    if (request.watermark && !isEventTime(request.watermark)) throw errors.WATERMARK_INVALID({ label: request.label });
    const declared = await this.declared(tenant, request.label);
    const journal = declared._id;
    const line = this.lines.get(journal) ?? lineOf(request.label);
    this.lines.set(journal, line);
    return line.run(() => this.recordNext(declared, request, cause));
  }

  private async declared(tenant: string, label: string): Promise<DeclaredLabelDocument> {
    const declared = await this.documents.labels.findById(`${tenant}/${label}`).lean<DeclaredLabelDocument>();
    if (declared) return declared;
    const known = await this.documents.labels.find().lean<DeclaredLabelDocument[]>();
    throw errors.UNKNOWN_LABEL({ label, known: known.filter((l) => l.tenant === tenant).map((l) => l.label) });
  }

  private async recordNext(declared: DeclaredLabelDocument, request: RecordOutcomesRequest, cause: Cause) {
    const sequence = await this.finishOpen(declared);
    const idOf = (o: Outcome) => `${declared._id}/${o.entityId}/${o.entityTime?.toISOString()}`;
    const ids = request.outcomes.filter((o) => o.entityId && o.entityTime).map(idOf);
    const known = await this.documents.outcomesById(ids);
    const sorted = triage(request.outcomes, known, idOf, declared.consistency);
    const told = labelsAdded(declared, sorted.changes, request.watermark);
    if (told.length || sorted.changes.length) await this.write(declared, sequence, sorted.changes, told, cause);
    return reply(sorted);
  }

  /** I2. Returns the journal's sequence. */
  private async finishOpen(declared: DeclaredLabelDocument): Promise<number> {
    const journal = await this.documents.journals.findById(declared._id).lean();
    if (!journal) {
      await this.documents.journals.create({ _id: declared._id, sequence: 0, open: [] });
      return 0;
    }
    if (journal.open.length) await this.documents.apply(declared.label, journal.open);
    return journal.sequence;
  }

  private async write(
    declared: DeclaredLabelDocument,
    sequence: number,
    changes: OutcomeChange[],
    told: LabelsAdded[],
    cause: Cause,
  ) {
    const emissions = told.map((payload) => emission(events.labelsAdded, payload, eventTime(payload)));
    const written = await this.outbox.update(
      this.documents.journals,
      { _id: declared._id, sequence },
      { $set: { open: changes }, $inc: { sequence: 1 } },
      emissions,
      { ...cause, id: `${declared._id}/${sequence + 1}` },
    );
    if (!written) throw errors.JOURNAL_BUSY({ label: declared.label });
    await this.documents.apply(declared.label, changes);
    await this.documents.journals.updateOne({ _id: declared._id, sequence: sequence + 1 }, { $set: { open: [] } });
  }
}

/** The newest knowledge that a batch carries. */
function eventTime(payload: LabelsAdded): number {
  const known = payload.labels.map((label) => label.knownAt!.getTime());
  return Math.max(...known, payload.watermark?.getTime() ?? Number.NEGATIVE_INFINITY);
}

/** The events of some changes: batches of one bucket each; a watermark goes to every bucket, on its last batch. */
export function labelsAdded(
  { tenant, label }: DeclaredLabelDocument,
  changes: readonly OutcomeChange[],
  watermark: Date | undefined,
): LabelsAdded[] {
  const batches: LabelsAdded[] = [];
  for (let bucket = 0; bucket < labelBuckets; bucket++) {
    const labels = changes
      .filter((c) => !c.contradictory && entityBucket(c.entityId, labelBuckets) === bucket)
      .map(toLabel);
    for (let i = 0; i < labels.length || (i === 0 && watermark); i += maxLabelsInEvent) {
      const last = i + maxLabelsInEvent >= labels.length;
      const part = labels.slice(i, i + maxLabelsInEvent);
      batches.push(
        LabelsAdded.fromPartial({ tenant, label, labels: part, bucket, watermark: last ? watermark : undefined }),
      );
    }
  }
  return batches;
}

function toLabel({ entityId, entityTime, revision }: OutcomeChange): Label {
  const { knownAt, value, source, confidence } = revision;
  return { entityId, entityTime, knownAt, value, source, confidence, revision: revision.revision };
}

function reply({ accepted, duplicates, revised, contradictory, rejected }: Triage): RecordOutcomesReply {
  return { accepted, duplicates, revised, contradictory, rejected, quarantined: 0 };
}
