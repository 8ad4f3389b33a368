/**
 * The quarantine of rows: what was set aside can be looked at, let in or confirmed as bad, by a person.
 *
 * I1  A row that is let in is known from then on: its known-at becomes the instant after all that its source had
 *     promised to have sent, never the past. What was asked and trained before it did not know it, and neither does
 *     a training set that is built again with an earlier cutoff.
 * I2  That instant is fixed by one compare-and-set before the row goes into the log, so that a release that a crash cut
 *     off, or that is asked for twice, puts in the same row; what was cut off is finished at the next start.
 */
import {
  type ListQuarantineReply,
  type ListQuarantineRequest,
  QuarantineItem,
  type ResolveQuarantineRequest,
  SourceRow,
} from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { errors } from './errors.js';
import { Ingest } from './ingest.js';
import type { ModelView } from './model-view.js';
import { Models } from './models.js';
import { type QuarantinedRow, QuarantinedRows, type RowState } from './quarantine.documents.js';
import { takeIn } from './rows/intake.js';

const shown = { usual: 100, most: 1000 };
const longestNote = 2000;

@Injectable()
export class Quarantine implements OnApplicationBootstrap {
  constructor(
    private readonly documents: QuarantinedRows,
    private readonly models: Models,
    private readonly ingest: Ingest,
  ) {}

  /** I2 */
  async onApplicationBootstrap(): Promise<void> {
    await this.documents.rows.init();
    const half = await this.documents.rows.find({ state: 'releasing' }).lean<QuarantinedRow[]>();
    for (const row of half) await this.letIn(row, (id, time) => ({ id, time, tenant: row.tenant }));
  }

  /** Newest first, at most 1,000. */
  async list(tenant: string, { model, state, limit }: ListQuarantineRequest): Promise<ListQuarantineReply> {
    if (!['', 'held', 'released', 'upheld'].includes(state)) throw errors.STATE_UNKNOWN({ state });
    const filter = { tenant, ...(model && { model }), ...(state && { state: statesOf(state) }) };
    const most = Math.min(Math.max(limit || shown.usual, 1), shown.most);
    const found = this.documents.rows.find(filter).sort({ knownAt: -1, _id: 1 }).limit(most);
    const [rows, total] = await Promise.all([
      found.lean<QuarantinedRow[]>(),
      this.documents.rows.countDocuments(filter),
    ]);
    return { items: rows.map(itemOf), total };
  }

  /** Lets a row in, or confirms that it is bad; again is the same as once. Throws UNKNOWN_ITEM, STATE_UNKNOWN, ALREADY_RELEASED. */
  async resolve(
    tenant: string,
    { id, state, note }: ResolveQuarantineRequest,
    causeOf: (id: string, timeMs: number) => Cause,
  ): Promise<QuarantineItem> {
    if (state !== 'released' && state !== 'upheld') throw errors.STATE_UNKNOWN({ state });
    const found = await this.documents.rows.findOne({ _id: id, tenant }).lean<QuarantinedRow>();
    if (!found) throw errors.UNKNOWN_ITEM({ id });
    const change = { note: note.slice(0, longestNote) };
    if (state === 'upheld') {
      if (found.releasedAt !== null) throw errors.ALREADY_RELEASED({ id });
      await this.documents.rows.updateOne({ _id: id, state: 'held' }, { $set: { ...change, state } });
    } else if (found.state !== 'released') {
      const releasedAt = this.instantAfter(this.models.of(tenant, found.model), found);
      const open: RowState[] = ['held', 'upheld'];
      await this.documents.rows.updateOne(
        { _id: id, state: { $in: open } },
        { $set: { ...change, state: 'releasing', releasedAt } },
      );
      await this.letIn((await this.documents.rows.findOne({ _id: id }).lean<QuarantinedRow>())!, causeOf);
    }
    return itemOf((await this.documents.rows.findOne({ _id: id }).lean<QuarantinedRow>())!);
  }

  /** I1 */
  private instantAfter({ watermarks }: ModelView, { source, kind, knownAt }: QuarantinedRow): number {
    const promised = (watermarks.partsOfSource(source) ?? []).filter((ms) => Number.isFinite(ms));
    // A contradictory one is a revision of the row that is there.
    const own = kind === 'contradictory' ? knownAt + 1 : knownAt;
    return Math.max(own, ...promised.map((ms) => ms + 1));
  }

  private async letIn(row: QuarantinedRow, causeOf: (id: string, timeMs: number) => Cause): Promise<void> {
    const view = this.models.of(row.tenant, row.model);
    const sent = SourceRow.fromJSON(JSON.parse(row.row));
    const { rows } = takeIn(view.ingestible(row.source), [{ ...sent, knownAt: new Date(row.releasedAt!) }]);
    if (!rows.length) throw errors.ROW_OUTGROWN({ id: row._id });
    await this.ingest.record(view, row.source, rows, undefined, causeOf);
    await this.documents.rows.updateOne({ _id: row._id }, { $set: { state: 'released' } });
  }
}

/** A release on its way is a release. */
const statesOf = (state: string): { $in: RowState[] } => ({
  $in: state === 'released' ? ['releasing', 'released'] : [state as RowState],
});

function itemOf(row: QuarantinedRow): QuarantineItem {
  const { _id: id, model, kind, source, reasons, note, state } = row;
  return QuarantineItem.fromPartial({
    ...{ id, model, holder: 'feature-store', kind, source, reasons, note, rows: 1, rowJson: row.row },
    subject: `${source} ${row.entityId} of ${new Date(row.eventTime).toISOString()}`,
    eventTime: new Date(row.knownAt),
    state: state === 'releasing' ? 'released' : state,
  });
}
