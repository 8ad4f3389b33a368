/** The documents of labeling: one an outcome with all its revisions, one journal a label, the labels declared. */

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
  /** Reports that disagree with a revision of the same known-at. */
  contradictions: Revision[];
}

/** A change of one outcome, as the journal holds it until it is applied. */
export interface OutcomeChange {
  outcome: string;
  entityId: string;
  entityTime: Date;
  revision: Revision;
  contradictory: boolean;
}

/**
 * The write-ahead journal of a label: its changes and their events are one write, the outcomes follow.
 * `sequence` makes it a compare-and-set between replicas.
 */
export interface JournalDocument {
  _id: string;
  sequence: number;
  open: OutcomeChange[];
  pending?: unknown[];
}

/** A label that a model declares. `_id` is tenant/label. */
export interface DeclaredLabelDocument {
  _id: string;
  tenant: string;
  label: string;
  specRevision: number;
  consistency: { attribute: string; atLeast: number }[];
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
    contradictions: { type: [revision], default: [] },
  },
  { versionKey: false },
).index({ label: 1, entityId: 1 });

const journalSchema = new Schema<JournalDocument>(
  { _id: String, sequence: Number, open: { type: [Schema.Types.Mixed], default: [] } } as never,
  { versionKey: false },
).plugin(outboxed);

const declaredLabelSchema = new Schema<DeclaredLabelDocument>(
  { _id: String, tenant: String, label: String, specRevision: Number, consistency: [Schema.Types.Mixed] },
  { versionKey: false },
);

@Injectable()
export class LabelingDocuments {
  readonly outcomes: Model<OutcomeDocument>;
  readonly journals: Model<JournalDocument>;
  readonly labels: Model<DeclaredLabelDocument>;

  constructor(connection: Connection) {
    this.outcomes = connection.model<OutcomeDocument>('Outcome', outcomeSchema, 'outcomes');
    this.journals = connection.model<JournalDocument>('Journal', journalSchema, 'journals');
    this.labels = connection.model<DeclaredLabelDocument>('DeclaredLabel', declaredLabelSchema, 'labels');
  }

  /** The outcomes with these ids, by id. */
  async outcomesById(ids: string[]): Promise<Map<string, OutcomeDocument>> {
    const found = await this.outcomes.find({ _id: { $in: ids } }).lean<OutcomeDocument[]>();
    return new Map(found.map((outcome) => [outcome._id, outcome]));
  }

  /** Applies changes to their outcomes; again is the same as once. */
  async apply(label: string, changes: OutcomeChange[]): Promise<void> {
    if (!changes.length) return;
    await this.outcomes.bulkWrite(
      changes.map(({ outcome, entityId, entityTime, revision, contradictory }) => ({
        updateOne: {
          filter: { _id: outcome },
          update: {
            $setOnInsert: { label, entityId, entityTime },
            $addToSet: { [contradictory ? 'contradictions' : 'revisions']: revision },
          },
          upsert: true,
        },
      })) as never,
    );
  }
}
