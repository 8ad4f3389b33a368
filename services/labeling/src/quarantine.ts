/** The quarantine of single outcomes: what was set aside can be looked at, let in or confirmed as bad, by a person. */
import {
  type ListQuarantineReply,
  type ListQuarantineRequest,
  QuarantineItem,
  type ResolveQuarantineRequest,
} from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { LabelingDocuments, type QuarantineDocument } from './labeling.documents.js';
import { Outcomes } from './outcomes.js';

const shown = { usual: 100, most: 1000 };
const longestNote = 2000;

@Injectable()
export class Quarantine {
  constructor(
    private readonly documents: LabelingDocuments,
    private readonly outcomes: Outcomes,
  ) {}

  /** Newest first, at most 1,000. Throws STATE_UNKNOWN. */
  async list(tenant: string, { model, state, limit }: ListQuarantineRequest): Promise<ListQuarantineReply> {
    if (!['', 'held', 'released', 'upheld'].includes(state)) throw errors.STATE_UNKNOWN({ state });
    const filter = { tenant, ...(model && { model }), ...(state && { state: state as QuarantineDocument['state'] }) };
    const most = Math.min(Math.max(limit || shown.usual, 1), shown.most);
    const found = this.documents.quarantine.find(filter).sort({ 'revision.knownAt': -1, _id: 1 }).limit(most);
    const [items, total] = await Promise.all([
      found.lean<QuarantineDocument[]>(),
      this.documents.quarantine.countDocuments(filter),
    ]);
    return { items: items.map(itemOf), total };
  }

  /**
   * A person's word; the same again is nothing. Released, the outcome is told as a label that is known from now on.
   * Throws UNKNOWN_ITEM, STATE_UNKNOWN, ALREADY_RELEASED; retriable: JOURNAL_BUSY, TOO_BUSY.
   */
  async resolve(
    tenant: string,
    { id, state, note }: ResolveQuarantineRequest,
    causeOf: (id: string) => Cause,
  ): Promise<QuarantineItem> {
    if (state !== 'released' && state !== 'upheld') throw errors.STATE_UNKNOWN({ state });
    const found = () => this.documents.quarantine.findOne({ _id: id, tenant }).lean<QuarantineDocument>();
    const item = await found();
    if (!item) throw errors.UNKNOWN_ITEM({ id });
    await this.outcomes.resolve(item, state, note.slice(0, longestNote), causeOf(id));
    return itemOf((await found())!);
  }
}

function itemOf(item: QuarantineDocument): QuarantineItem {
  const { _id: id, model, kind, entityId, entityTime, revision, reason, row, state, note } = item;
  return QuarantineItem.fromPartial({
    ...{ id, model, holder: 'labeling', kind, source: revision.source, rows: 1, state, note, rowJson: row },
    subject: `${entityId} of ${entityTime.toISOString()}`,
    reasons: [reason],
    eventTime: revision.knownAt,
  });
}
