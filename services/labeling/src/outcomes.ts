/**
 * Recording outcomes: what is new goes to the journal together with its event, then to the outcomes; what is suspect goes
 * through the same journal into quarantine, and is told to nobody.
 *
 * I1  The journal's changes and the labels.added that tells of them are one write.
 * I2  A journal's open changes are applied to the outcomes before the next are triaged, also after a crash.
 * I3  One writer a label in a process; between processes the journal's sequence decides, and the loser looks again: a few
 *     times here, then its caller does.
 * I4  An outcome that a person lets in is a label that is known from then on: after all that was promised or known, so
 *     that no promise of a watermark is broken, and what was asked or trained before did not know it; and after its own
 *     question.
 * I5  A promise that is further ahead than anybody can know is refused, with all that comes with it, before anything is
 *     written.
 */
import {
  entityBucket,
  events,
  isEventTime,
  type Label,
  LabelsAdded,
  labelBuckets,
  Outcome,
  type RecordOutcomesReply,
  type RecordOutcomesRequest,
} from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { Foresight, Metrics, Serial, statesOf } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import {
  type DeclaredLabelDocument,
  type JournalDocument,
  LabelingDocuments,
  type OutcomeChange,
  type QuarantineDocument,
} from './labeling.documents.js';
import { askedAt, fault, type Rules, revisionOf, sort, type Triage, triage } from './triage.js';

const maxOutcomes = 5000;
/** Requests of one label that wait for their turn. */
const maxWaiting = 200;
/** How often a request looks again where another replica was faster. */
const attempts = 8;
/** Labels in one event: well under the bus's 1 MiB. */
const maxLabelsInEvent = 2000;

const lineOf = (label: string) => new Serial(maxWaiting, (limit) => errors.TOO_BUSY({ label, limit }));

@Injectable()
export class Outcomes {
  private readonly lines = new Map<string, Serial>();

  constructor(
    private readonly documents: LabelingDocuments,
    private readonly outbox: Outbox,
    private readonly metrics: Metrics,
    private readonly foresight: Foresight,
  ) {
    metrics.queue('outcomes of a label', maxWaiting, () => statesOf(this.lines.values()));
  }

  /**
   * Records a batch and tells of it. Throws UNKNOWN_LABEL, TOO_MANY_OUTCOMES, WATERMARK_INVALID, WATERMARK_AHEAD; retriable:
   * JOURNAL_BUSY, TOO_BUSY.
   */
  async record(tenant: string, request: RecordOutcomesRequest, cause: Cause): Promise<RecordOutcomesReply> {
    if (request.outcomes.length > maxOutcomes)
      throw errors.TOO_MANY_OUTCOMES({ rows: request.outcomes.length, limit: maxOutcomes });
    if (request.watermark && !isEventTime(request.watermark)) throw errors.WATERMARK_INVALID({ label: request.label });
    const declared = await this.declared(tenant, request.label);
    return this.line(declared).run(() => again(() => this.recordNext(declared, request, cause)));
  }

  /**
   * Lets an outcome in, or confirms that it is bad; again is the same as once. Resolves to how it stands.
   * Throws UNKNOWN_ITEM, ALREADY_RELEASED; retriable: JOURNAL_BUSY, TOO_BUSY.
   */
  async resolve(item: QuarantineDocument, state: 'released' | 'upheld', note: string, cause: Cause): Promise<void> {
    const declared = await this.documents.labels.findById(item.label).lean<DeclaredLabelDocument>();
    if (!declared) throw errors.UNKNOWN_ITEM({ id: item._id });
    await this.line(declared).run(() => again(() => this.resolveNext(declared, item._id, { state, note }, cause)));
  }

  private line({ _id, label }: DeclaredLabelDocument): Serial {
    const line = this.lines.get(_id) ?? lineOf(label);
    this.lines.set(_id, line);
    return line;
  }

  private async declared(tenant: string, label: string): Promise<DeclaredLabelDocument> {
    const declared = await this.documents.labels.findById(`${tenant}/${label}`).lean<DeclaredLabelDocument>();
    if (declared) return declared;
    const known = await this.documents.labels.find().lean<DeclaredLabelDocument[]>();
    throw errors.UNKNOWN_LABEL({ label, known: known.filter((l) => l.tenant === tenant).map((l) => l.label) });
  }

  private async recordNext(declared: DeclaredLabelDocument, request: RecordOutcomesRequest, cause: Cause) {
    const journal = await this.finishOpen(declared);
    const idOf = (o: Outcome) => `${declared._id}/${o.entityId}/${o.entityTime?.toISOString()}`;
    // A time beyond a calendar has no text, and its outcome no id.
    const ids = request.outcomes.filter((o) => !fault(o)).map(idOf);
    const known = await this.documents.outcomesById(ids);
    const sorted = await this.sorted(request.outcomes, known, idOf, this.rulesOf(declared, request, journal));
    this.checkPromise(declared, request.watermark, newestOf(sorted.changes, undefined), journal);
    const told = labelsAdded(declared, sorted.changes, request.watermark);
    const newest = newestOf(sorted.changes, request.watermark);
    if (told.length || sorted.changes.length) await this.write(declared, journal, sorted.changes, told, newest, cause);
    return reply(sorted);
  }

  /** What is in quarantine already is looked up only where something is suspect. */
  private async sorted(
    outcomes: readonly Outcome[],
    known: Parameters<typeof triage>[1],
    idOf: (outcome: Outcome) => string,
    rules: Rules,
  ): Promise<Triage> {
    const first = triage(outcomes, known, idOf, rules);
    const suspect = first.changes.flatMap(({ held }) => held?.id ?? []);
    const quarantined = await this.documents.quarantined(suspect);
    return quarantined.size ? triage(outcomes, known, idOf, rules, quarantined) : first;
  }

  private rulesOf(
    { consistency, leadMs }: DeclaredLabelDocument,
    { outcomes }: RecordOutcomesRequest,
    { newest }: JournalDocument,
  ): Rules {
    const earliest = outcomes.reduce(
      (min, { knownAt }) => Math.min(min, knownAt?.getTime() || min),
      Number.POSITIVE_INFINITY,
    );
    return { consistency, leadMs, latestKnownAt: this.foresight.latestKnownAt(earliest, newest) };
  }

  /** I5 */
  private checkPromise(
    { label, silenceMs }: DeclaredLabelDocument,
    watermark: Date | undefined,
    known: number | undefined,
    { newest }: JournalDocument,
  ): void {
    if (!watermark) return;
    const furthest = newest !== undefined && known !== undefined ? Math.max(newest, known) : (newest ?? known);
    const latest = this.foresight.latestPromise(furthest, silenceMs);
    if (watermark.getTime() <= latest) return;
    const { advice } = this.foresight;
    const [promised, end] = [watermark.toISOString(), new Date(latest).toISOString()];
    throw errors.WATERMARK_AHEAD({ label, watermark: promised, latest: end, advice });
  }

  private async resolveNext(
    declared: DeclaredLabelDocument,
    id: string,
    word: { state: 'released' | 'upheld'; note: string },
    cause: Cause,
  ): Promise<void> {
    const journal = await this.finishOpen(declared);
    const item = await this.documents.quarantine.findById(id).lean<QuarantineDocument>();
    if (!item) throw errors.UNKNOWN_ITEM({ id });
    if (item.state === word.state) return;
    if (item.state === 'released') throw errors.ALREADY_RELEASED({ id });
    const change = await this.letIn(item, journal, { id, ...word }, declared);
    const told = word.state === 'released' ? labelsAdded(declared, [change], undefined) : [];
    await this.write(declared, journal, [change], told, undefined, cause);
  }

  /** I4. What is known already, by now, is only marked. */
  private async letIn(
    { outcome, entityId, entityTime, row, revision: reported }: QuarantineDocument,
    { newest }: JournalDocument,
    resolved: NonNullable<OutcomeChange['resolved']>,
    { leadMs }: DeclaredLabelDocument,
  ): Promise<OutcomeChange> {
    const known = (await this.documents.outcomesById([outcome])).get(outcome)?.revisions ?? [];
    const last = Math.max(newest ?? 0, ...known.map(({ knownAt }) => knownAt.getTime()));
    const asked = askedAt({ entityTime }, leadMs) ?? Number.NEGATIVE_INFINITY;
    const knownAt = new Date(Math.max(reported.knownAt.getTime(), last + 1, asked + 1));
    const revision = revisionOf(Outcome.fromJSON(JSON.parse(row)), known, knownAt);
    const isNews = sort(revision, known) !== 'duplicates';
    return { outcome, entityId, entityTime, revision, resolved, ...(!isNews && { known: true }) };
  }

  /** I2 */
  private async finishOpen(declared: DeclaredLabelDocument): Promise<JournalDocument> {
    const found = await this.documents.journals.findById(declared._id).lean<JournalDocument>();
    const journal = found ?? (await this.documents.beginJournal(declared._id));
    if (journal.open.length) await this.documents.apply(declared, journal.open);
    return journal;
  }

  private async write(
    declared: DeclaredLabelDocument,
    { sequence }: JournalDocument,
    changes: OutcomeChange[],
    told: LabelsAdded[],
    newest: number | undefined,
    cause: Cause,
  ) {
    const emissions = told.map((payload) => emission(events.labelsAdded, payload, eventTime(payload)));
    const written = await this.outbox.update(
      this.documents.journals,
      { _id: declared._id, sequence },
      { $set: { open: changes }, $inc: { sequence: 1 }, ...(newest !== undefined && { $max: { newest } }) },
      emissions,
      { ...cause, id: `${declared._id}/${sequence + 1}` },
    );
    if (!written) throw errors.JOURNAL_BUSY({ label: declared.label });
    if (this.metrics.enabled) this.measure(declared, changes);
    await this.documents.apply(declared, changes);
    await this.documents.journals.updateOne({ _id: declared._id, sequence: sequence + 1 }, { $set: { open: [] } });
  }

  /** How late new labels came. */
  private measure({ label }: DeclaredLabelDocument, changes: readonly OutcomeChange[]): void {
    const delays = this.metrics.histogram('driftloop.label.delay');
    for (const change of changes.filter((one) => isTold(one) && one.revision.revision === 1))
      delays.record((change.revision.knownAt.getTime() - change.entityTime.getTime()) / 1000, {
        'driftloop.label': label,
      });
  }
}

/** I3 */
async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'JOURNAL_BUSY' || attempt === attempts) throw error;
    }
  }
}

/** The newest that some changes know or a watermark promises. */
function newestOf(changes: readonly OutcomeChange[], watermark: Date | undefined): number | undefined {
  const times = changes.filter(isTold).map(({ revision }) => revision.knownAt.getTime());
  const newest = Math.max(watermark?.getTime() ?? Number.NEGATIVE_INFINITY, ...times);
  return Number.isFinite(newest) ? newest : undefined;
}

/** Whether a change is a label that others hear of. */
const isTold = ({ held, resolved, known }: OutcomeChange): boolean => !held && !known && resolved?.state !== 'upheld';

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
    const labels = changes.filter((c) => isTold(c) && entityBucket(c.entityId, labelBuckets) === bucket).map(toLabel);
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

function reply({ changes: _changes, ...counts }: Triage): RecordOutcomesReply {
  return counts;
}
