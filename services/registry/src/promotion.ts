/**
 * From candidate to champion: what the registry does at each tick with what it has recorded.
 *
 * I1  Every step is repeatable: the next one looks at documents only.
 * I2  While the champion is frozen no candidate comes before callers: a word that a trial may go on waits in the
 *     rollout's document, for the first tick after the thaw. A word that ends a trial is acted on at once.
 * I3  A model whose rollout cannot be moved by a fault of its own is tried again at the next tick, aloud; the others move.
 */
import { Decision } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Isolation } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { Aliases } from './aliases.js';
import { GateTurn } from './gate-turn.js';
import { type Judgement, RegistryDocuments, type RolloutDocument, type VersionDocument } from './registry.documents.js';
import { Rollouts } from './rollouts.js';

@Injectable()
export class Promotion {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly rollouts: Rollouts,
    private readonly gate: GateTurn,
    private readonly aliases: Aliases,
    private readonly isolation: Isolation,
  ) {}

  /**
   * Acts on everything dated at or before the tick before (epoch ms), in a deterministic order; what is told during this
   * very tick waits for the next.
   */
  async tick(previous: number, cause: Cause): Promise<void> {
    await this.rollouts.payStates();
    await this.gate.take(previous, cause);
    const judged = await this.documents.rollouts
      .find({ 'judgement.rolloutId': { $exists: true } })
      .lean<RolloutDocument[]>();
    for (const document of judged)
      await this.isolation.guard(document, 'rollout', async () => {
        if (document.judgement!.eventTime.getTime() <= previous)
          await this.actOnJudgement(document, { ...cause, tenant: document.tenant });
      });
  }

  private async actOnJudgement(document: RolloutDocument, cause: Cause): Promise<void> {
    const judgement = document.judgement as Judgement;
    const before = await this.rollouts.find(document.tenant, document.model);
    const _id = `${document.tenant}/${document.model}/${before?.challenger?.version}`;
    const version = await this.documents.versions.findById(_id).lean<VersionDocument>();
    if (!before || !version || before.rolloutId !== judgement.rolloutId) {
      await this.documents.rollouts.updateOne(
        { _id: document._id, revision: document.revision },
        { $set: { judgement: null } },
      );
      return;
    }
    const grounds = Decision.fromJSON(judgement.decision);
    if (judgement.verdict === 'VERDICT_ROLL_BACK')
      await this.aliases.rollBack(version, before, 'rolled_back', grounds, cause);
    else if (before.held)
      return; // I2
    else if (judgement.verdict === 'VERDICT_ADVANCE') await this.aliases.advance(version, before, cause);
    else if (judgement.verdict === 'VERDICT_PROMOTE') await this.aliases.promote(version, before, grounds, cause);
  }
}
