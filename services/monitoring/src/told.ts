/**
 * Decisions of monitoring's outside of a cycle: kept with the event that tells them, in one write, once.
 *
 * I1  A decision's id is the hash of what was decided, on what, at which event time: made again after a crash, it is there
 *     already. Whatever is kept here is in the ledger.
 */
import { Decision } from '@driftloop/contracts';
import { type Cause, type Emission, Outbox } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { LoopDocuments } from './loop.documents.js';
import type { ModelView } from './view.js';

@Injectable()
export class Told {
  constructor(
    private readonly documents: LoopDocuments,
    private readonly outbox: Outbox,
  ) {}

  /** Keeps and tells a decision; again is nothing. */
  async tell({ series, tenant }: ModelView, said: Decision, emit: Emission[], cause: Cause): Promise<void> {
    const { id, eventTime } = said;
    if (await this.documents.signals.exists({ _id: id })) return;
    const doc = { _id: id, series, time: eventTime!.getTime(), decision: Decision.toJSON(said) };
    await this.outbox.save(new this.documents.signals(doc), emit, { ...cause, tenant, id });
  }
}
