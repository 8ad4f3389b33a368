/** The documents of labeling: one an outcome with all its revisions, one journal a label, the labels declared, what was set aside. */

import { outboxed } from '@driftloop/documents';
import { Connection } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';

/** One value of an outcome, as it became known. */
export interface Revision {
  knownAt: Date;
  value: number;
  source: string;
  confidence: number;
  revision: number;
}

/** Everything known of one outcome. `_id` is tenant/label/entity/entity time. */
export interface OutcomeDocument {
  _id: string;
  label: string;
  entityId: string;
  entityTime: Date;
  /** Ordered by known-at; the last one is the present truth. */
  revisions: Revision[];
}

/**
 * Why an outcome is set aside: it breaks a declared rule, disagrees with another word of the same instant, or was known by
 * the question that it should answer.
 */
export type QuarantineKind = 'inconsistent' | 'contradictory' | 'known_early';

/** An outcome that is set aside. */
export interface Held {
  /** "labeling/" and a hash of what was reported: the same report again is a duplicate. */
  id: string;
  kind: QuarantineKind;
  reason: string;
  /** The outcome as it came: proto3 JSON. */
  row: string;
}

/** A person's word about an outcome that was set aside. */
export interface Resolved {
  id: string;
  state: 'released' | 'upheld';
  note: string;
}

/** One outcome that was set aside. */
export interface QuarantineDocument {
  _id: string;
  /** tenant/label */
  label: string;
  tenant: string;
  model: string;
  /** `_id` of the outcome. */
  outcome: string;
  entityId: string;
  entityTime: Date;
  revision: Revision;
  kind: QuarantineKind;
  reason: string;
  row: string;
  state: 'held' | 'released' | 'upheld';
  note: string;
}

/** A change of one outcome, as the journal holds it until it is applied. */
export interface OutcomeChange {
  outcome: string;
  entityId: string;
  entityTime: Date;
  revision: Revision;
  /** It is set aside, and no label. */
  held?: Held;
  /** A person's word about it: released, it is a label now. */
  resolved?: Resolved;
  /** It says what is known by now: nothing to add. */
  known?: boolean;
}

/**
 * The write-ahead journal of a label: its changes and their events are one write, the outcomes follow.
 * `sequence` makes it a compare-and-set between replicas.
 */
export interface JournalDocument {
  _id: string;
  sequence: number;
  open: OutcomeChange[];
  /** The newest that was promised or known: what a person lets in is known after it. Epoch ms. */
  newest?: number;
  pending?: unknown[];
}

/** A label that a model declares. `_id` is tenant/label. */
export interface DeclaredLabelDocument {
  _id: string;
  tenant: string;
  label: string;
  specRevision: number;
  consistency: { attribute: string; atLeast: number }[];
  /** How long before the entity's own time its question is asked; absent in those of old. */
  leadMs?: number;
  /** How long a source may say nothing; absent in those of old. */
  silenceMs?: number;
}

const revision = {
  _id: false,
  knownAt: { type: Date, required: true },
  value: { type: Number, required: true },
  source: String,
  confidence: Number,
  revision: { type: Number, required: true },
};

const outcomeSchema = new Schema<OutcomeDocument>(
  {
    _id: String,
    label: String,
    entityId: String,
    entityTime: Date,
    revisions: { type: [revision], default: [] },
  },
  { versionKey: false },
).index({ label: 1, entityId: 1 });

const journalSchema = new Schema<JournalDocument>(
  { _id: String, sequence: Number, newest: Number, open: { type: [Schema.Types.Mixed], default: [] } } as never,
  { versionKey: false },
).plugin(outboxed);

const declaredLabelSchema = new Schema<DeclaredLabelDocument>(
  {
    ...{ _id: String, tenant: String, label: String, specRevision: Number, consistency: [Schema.Types.Mixed] },
    ...{ leadMs: Number, silenceMs: Number },
  },
  { versionKey: false },
);

const quarantineSchema = new Schema<QuarantineDocument>(
  {
    ...{ _id: String, label: String, tenant: String, model: String, outcome: String, entityId: String },
    ...{ entityTime: Date, revision, kind: String, reason: String, row: String, state: String, note: String },
  },
  { versionKey: false },
)
  .index({ tenant: 1, model: 1, state: 1, 'revision.knownAt': -1 })
  .index({ tenant: 1, 'revision.knownAt': -1 });

@Injectable()
export class LabelingDocuments {
  readonly outcomes: Model<OutcomeDocument>;
  readonly journals: Model<JournalDocument>;
  readonly labels: Model<DeclaredLabelDocument>;
  readonly quarantine: Model<QuarantineDocument>;

  constructor(connection: Connection) {
    this.outcomes = connection.model<OutcomeDocument>('Outcome', outcomeSchema, 'outcomes');
    this.journals = connection.model<JournalDocument>('Journal', journalSchema, 'journals');
    this.labels = connection.model<DeclaredLabelDocument>('DeclaredLabel', declaredLabelSchema, 'labels');
    this.quarantine = connection.model<QuarantineDocument>('Quarantine', quarantineSchema as Schema, 'quarantine');
  }

  /** The outcomes with these ids, by id. */
  async outcomesById(ids: string[]): Promise<Map<string, OutcomeDocument>> {
    const found = await this.outcomes.find({ _id: { $in: ids } }).lean<OutcomeDocument[]>();
    return new Map(found.map((outcome) => [outcome._id, outcome]));
  }

  /** Which of these are in quarantine, or were. */
  async quarantined(ids: string[]): Promise<Set<string>> {
    if (!ids.length) return new Set();
    const found = await this.quarantine.find({ _id: { $in: ids } }, { _id: 1 }).lean<{ _id: string }[]>();
    return new Set(found.map(({ _id }) => _id));
  }

  /** The journal of a label, made where another replica has not just done so. */
  async beginJournal(_id: string): Promise<JournalDocument> {
    const blank = { sequence: 0, open: [] };
    await this.journals.updateOne({ _id }, { $setOnInsert: blank }, { upsert: true });
    return (await this.journals.findById(_id).lean<JournalDocument>())!;
  }

  /** The newest known-at of a label's outcomes, those of its journal too; undefined without any. It reads them all. */
  async newestKnownAt(label: string, { open }: JournalDocument): Promise<number | undefined> {
    let newest: number | undefined;
    const know = ({ knownAt }: Revision) => {
      newest = Math.max(newest ?? knownAt.getTime(), knownAt.getTime());
    };
    for (const { held, revision } of open) if (!held) know(revision);
    const own = { _id: { $gte: `${label}/`, $lt: `${label}0` } };
    for await (const { revisions } of this.outcomes.find(own, { revisions: 1 }).lean<OutcomeDocument[]>().cursor())
      for (const revision of revisions) know(revision);
    return newest;
  }

  /** Keeps what a model declares of a label; a revision that is not newer changes nothing. */
  async declare({ _id, ...fields }: DeclaredLabelDocument): Promise<void> {
    const { tenant, label } = fields;
    const blank = { tenant, label, specRevision: 0, consistency: [] };
    await this.labels.updateOne({ _id }, { $setOnInsert: blank }, { upsert: true });
    await this.labels.updateOne({ _id, specRevision: { $lt: fields.specRevision } }, { $set: fields });
  }

  /** Applies changes to their outcomes, and to what is set aside; again is the same as once. */
  async apply(declared: DeclaredLabelDocument, changes: OutcomeChange[]): Promise<void> {
    const settled = changes.filter(({ held, resolved, known }) => !held && !known && resolved?.state !== 'upheld');
    if (settled.length)
      await this.outcomes.bulkWrite(
        settled.map(({ outcome, entityId, entityTime, revision }) => ({
          updateOne: {
            filter: { _id: outcome },
            update: {
              $setOnInsert: { label: declared.label, entityId, entityTime },
              $addToSet: { revisions: revision },
            },
            upsert: true,
          },
        })) as never,
      );
    for (const change of changes) {
      if (change.held) await this.setAside(declared, change, change.held);
      if (change.resolved) await this.settle(change.resolved);
    }
  }

  private async setAside({ _id: label, tenant }: DeclaredLabelDocument, change: OutcomeChange, held: Held) {
    const { outcome, entityId, entityTime, revision } = change;
    const { id, kind, reason, row } = held;
    const model = label.slice(tenant.length + 1).split('.')[0];
    const item = {
      label,
      tenant,
      model,
      outcome,
      entityId,
      entityTime,
      revision,
      kind,
      reason,
      row,
      state: 'held',
      note: '',
    };
    await this.quarantine.updateOne({ _id: id }, { $setOnInsert: item }, { upsert: true });
  }

  /** Nothing follows a release: a replica that applies an older word late changes nothing. */
  private async settle({ id, state, note }: Resolved): Promise<void> {
    await this.quarantine.updateOne({ _id: id, state: { $ne: 'released' } }, { $set: { state, note } });
  }
}
