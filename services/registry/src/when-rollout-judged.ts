/** Hears monitoring's word on a stage: keeps it for the next tick. */
import { Decision, events, type RolloutJudged, Verdict } from '@driftloop/contracts';
import { ConsumerGroup, When } from '@driftloop/service';
import { RegistryDocuments } from './registry.documents.js';
import { Rollouts } from './rollouts.js';

/** A word that a later monitoring may say is none of these: nothing is moved by what is not understood. */
const understood: readonly Verdict[] = [Verdict.ADVANCE, Verdict.PROMOTE, Verdict.ROLL_BACK];

@ConsumerGroup('registry.when-rollout-judged')
export class WhenRolloutJudged {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly rollouts: Rollouts,
  ) {}

  @When(events.rolloutJudged)
  async keep(judged: RolloutJudged): Promise<void> {
    const { tenant, model, rolloutId, stage, verdict } = judged;
    if (!understood.includes(verdict)) return;
    const decision = Decision.toJSON(judged.decision!);
    const judgement = { rolloutId, verdict, eventTime: judged.decision!.eventTime!, decision };
    for (;;) {
      const rollout = await this.rollouts.find(tenant, model);
      if (rollout?.rolloutId !== rolloutId || rollout.stage !== stage) return; // a word on a stage that is over
      const filter = { _id: `${tenant}/${model}`, revision: rollout.revision };
      const { matchedCount } = await this.documents.rollouts.updateOne(filter, { $set: { judgement } });
      if (matchedCount) return; // else a person froze or thawed it just now: looked at again
    }
  }
}
