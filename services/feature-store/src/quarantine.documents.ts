/**
 * Rows that were set aside, one document each.
 *
 * I1  `_id` is a hash of what names a row (source, entity, event time, known-at), and of its cells where they contradict
 *     those of a row that is in: the same row again is a duplicate.
 * I2  A row is set aside before its batch is acknowledged: a crash in between makes the sender send it again.
 */
import { createHash } from 'node:crypto';
import { SourceRow } from '@driftloop/contracts';
import { isDuplicateKey } from '@driftloop/documents';
import { Connection } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { type Model, Schema } from 'mongoose';
import type { ModelView } from './model-view.js';
import type { Suspect } from './rows/intake.js';

/** `releasing`: a person has let it in, as known at `releasedAt`; it may not be in the rows yet. */
export type RowState = 'held' | 'releasing' | 'released' | 'upheld';

/** Times are epoch ms. */
export interface QuarantinedRow {
  _id: string;
  tenant: string;
  model: string;
  source: string;
  kind: string;
  entityId: string;
  eventTime: number;
  knownAt: number;
  /** The row as it came: a SourceRow, proto3 JSON. */
  row: string;
  reasons: string[];
  state: RowState;
  note: string;
  releasedAt: number | null;
}

const schema = new Schema<QuarantinedRow>(
  {
    ...{ _id: String, tenant: String, model: String, source: String, kind: String, entityId: String },
    ...{ eventTime: Number, knownAt: Number, row: String, reasons: [String], state: String, note: String },
    releasedAt: Number,
  },
  { versionKey: false },
)
  .index({ tenant: 1, model: 1, state: 1, knownAt: -1 })
  .index({ tenant: 1, knownAt: -1 })
  .index({ state: 1 });

@Injectable()
export class QuarantinedRows {
  readonly rows: Model<QuarantinedRow>;

  constructor(connection: Connection) {
    this.rows = connection.model<QuarantinedRow>('QuarantinedRow', schema as Schema, 'quarantine');
  }

  /** Keeps suspect rows; those that are there already are duplicates. */
  async setAside(view: ModelView, source: string, suspects: readonly Suspect[]) {
    const kept = { quarantined: 0, duplicates: 0 };
    for (const suspect of suspects) {
      const fresh = await this.insert(documentOf(view, source, suspect));
      kept[fresh ? 'quarantined' : 'duplicates']++;
    }
    return kept;
  }

  private async insert(row: QuarantinedRow): Promise<boolean> {
    try {
      await this.rows.collection.insertOne(row as never);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}

function documentOf({ tenant, model }: ModelView, source: string, { row, kind, reasons, sent }: Suspect) {
  const { entityId, eventTime, knownAt } = row;
  const names = [tenant, model, source, entityId, eventTime, knownAt];
  const contrary = kind === 'contradictory' ? [kind, ...row.cells] : [];
  const named = createHash('sha256').update(JSON.stringify([...names, ...contrary]));
  return {
    _id: `feature-store/${named.digest('hex').slice(0, 24)}`,
    ...{ tenant, model, source, kind, entityId, eventTime, knownAt, reasons },
    row: JSON.stringify(SourceRow.toJSON(sent)),
    state: 'held' as const,
    note: '',
    releasedAt: null,
  };
}
