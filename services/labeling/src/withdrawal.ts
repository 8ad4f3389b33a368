/**
 * Taking the promise of a label's outcomes back, because a person says so: what is let in from then on is known after what is
 * known, not after what was promised by mistake. The feature store forgets the promise by its own call.
 */
import { isEventTime, type WithdrawWatermarkReply, type WithdrawWatermarkRequest } from '@driftloop/contracts';
import { Log } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { errors } from './errors.js';
import { type DeclaredLabelDocument, LabelingDocuments } from './labeling.documents.js';

@Injectable()
export class Withdrawal {
  constructor(
    private readonly documents: LabelingDocuments,
    private readonly log: Log,
  ) {}

  /** Again is the same as once. Throws LABELS_NOT_DECLARED, WATERMARK_INVALID; retriable: JOURNAL_BUSY. */
  async withdraw(tenant: string, { model, to, note }: WithdrawWatermarkRequest): Promise<WithdrawWatermarkReply> {
    const { _id, label } = await this.labelOf(tenant, model);
    if (to && !isEventTime(to)) throw errors.WATERMARK_INVALID({ label });
    const journal = await this.documents.beginJournal(_id);
    const known = await this.documents.newestKnownAt(_id, journal);
    const newest = Math.max(known ?? Number.NEGATIVE_INFINITY, to?.getTime() ?? Number.NEGATIVE_INFINITY);
    const change = Number.isFinite(newest) ? { $set: { newest } } : { $unset: { newest: 1 } };
    // Whoever records meanwhile has counted on the promise: they look again.
    const { sequence } = journal;
    const written = await this.documents.journals.updateOne({ _id, sequence }, { ...change, $inc: { sequence: 1 } });
    if (!written.matchedCount) throw errors.JOURNAL_BUSY({ label });
    const was = journal.newest;
    this.log.warn({ label, was, newest, note }, 'a watermark of labels is taken back');
    return { model, newest: Number.isFinite(newest) ? new Date(newest) : undefined };
  }

  private async labelOf(tenant: string, model: string): Promise<DeclaredLabelDocument> {
    const labels = await this.documents.labels.find({ tenant }).lean<DeclaredLabelDocument[]>();
    const own = labels.find(({ label }) => label.startsWith(`${model}.`));
    if (!own) throw errors.LABELS_NOT_DECLARED({ model });
    return own;
  }
}
