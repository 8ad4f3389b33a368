/**
 * From candidate to champion: what the registry does at each tick with what it has recorded.
 *
 * I1  Every step is repeatable: a step's document and its events are one write, and the next step looks at documents only.
 * I2  The champion moves only if it is still the one that the candidate was compared with, at the revision read at
 *     the cycle's opening; else the cycle is superseded.
 */
import {
  Decision,
  decision,
  events,
  ModelApproved,
  ModelPromoted,
  ModelRefused,
  ModelRolledBack,
  ModelTrained,
  parseModelSpec,
  type Rollout,
  type ServedVersion,
  Stage,
} from '@driftloop/contracts';
import { type Cause, type Emission, emission, Outbox } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { gateDecision } from './gate.js';
import { type Judgement, RegistryDocuments, type RolloutDocument, type VersionDocument } from './registry.documents.js';
import { Rollouts } from './rollouts.js';

@Injectable()
export class Promotion {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly rollouts: Rollouts,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Acts on everything dated at or before the tick before (epoch ms), in a deterministic order; what is told during this
   * very tick waits for the next.
   */
  async tick(previous: number, cause: Cause): Promise<void> {
    for (const version of await this.due('registered', previous)) await this.passGate(version, cause);
    for (const version of await this.due('approved', previous)) await this.beginTrial(version, cause);
    const judged = await this.documents.rollouts
      .find({ 'judgement.rolloutId': { $exists: true } })
      .lean<RolloutDocument[]>();
    for (const document of judged)
      if (document.judgement!.eventTime.getTime() <= previous)
        await this.actOnJudgement(document, { ...cause, tenant: document.tenant });
  }

  private async due(state: 'registered' | 'approved', previous: number): Promise<VersionDocument[]> {
    const versions = await this.documents.versionsIn(state);
    return versions.filter((v) => v.eventTime.getTime() <= previous).sort((a, b) => (a._id < b._id ? -1 : 1));
  }

  /** The gate's word becomes the version's state, and is told. */
  private async passGate(version: VersionDocument, cause: Cause): Promise<void> {
    const { tenant, model, cycleId } = version;
    const declared = await this.documents.models.findById(`${tenant}/${model}`).lean();
    const trained = ModelTrained.fromJSON(version.trained);
    const verdict = gateDecision(trained, version.version, parseModelSpec(declared!.specJson), cause.time);
    const approved = verdict.outcome === 'approved';
    const told = { tenant, model, cycleId, version: version.version, decision: verdict };
    const event = approved
      ? emission(events.modelApproved, ModelApproved.fromPartial(told), cause.time)
      : emission(events.modelRefused, ModelRefused.fromPartial(told), cause.time);
    await this.outbox.update(
      this.documents.versions,
      { _id: version._id, state: 'registered' },
      { $set: { state: approved ? 'approved' : 'refused', gate: Decision.toJSON(verdict) } },
      [event],
      { ...cause, tenant, id: `${version._id}/gate` },
    );
  }

  /** An approved version goes into shadow; the first trained one, which nothing can be compared with, straight to champion. */
  private async beginTrial(version: VersionDocument, cause: Cause): Promise<void> {
    const own = { ...cause, tenant: version.tenant };
    const trained = ModelTrained.fromJSON(version.trained);
    const before = await this.rollouts.find(version.tenant, version.model);
    if (!before) return;
    const served = servedVersion(version.version, trained);
    if (this.moved(before, trained)) {
      await this.supersede(version, before, own);
    } else if (trained.purpose === 'bootstrap') {
      const change = { champion: served, frozen: served, challenger: undefined, stage: Stage.ENDED };
      const reasons = ['the first trained version; nothing to stand trial against'];
      const told = this.promoted(version, trained, before, reasons, [], own);
      const after = await this.rollouts.change(
        own,
        version.model,
        before,
        { ...change, cycleId: version.cycleId, reason: 'bootstrap' },
        told,
      );
      if (after) await this.crown(version, before);
    } else {
      const rolloutId = `${version.cycleId}/${version.version}`;
      const change = {
        challenger: served,
        stage: Stage.SHADOW,
        canaryPercent: 0,
        rolloutId,
        cycleId: version.cycleId,
      };
      const after = await this.rollouts.change(own, version.model, before, {
        ...change,
        reason: 'approved by the gate',
      });
      if (after) await this.setState(version._id, 'challenger');
    }
  }

  /** I2, unless the trial has begun already and only the version's state is behind. */
  private moved(before: Rollout, trained: ModelTrained): boolean {
    return before.champion?.version !== trained.champion || before.revision !== trained.rolloutRevision;
  }

  private async supersede(version: VersionDocument, before: Rollout, cause: Cause): Promise<void> {
    if (before.challenger?.version === version.version) return this.setState(version._id, 'challenger');
    if (before.champion?.version === version.version) return this.setState(version._id, 'champion');
    const trained = ModelTrained.fromJSON(version.trained);
    const reasons = [
      `champion was ${trained.champion} (revision ${trained.rolloutRevision}) when the cycle opened and is ${before.champion?.version} (revision ${before.revision}) now`,
    ];
    const event = rolledBack(version, before, 'superseded', reasons, [], cause);
    const filter = { _id: version._id, state: 'approved' };
    const own = { ...cause, id: `${version._id}/superseded` };
    await this.outbox.update(this.documents.versions, filter, { $set: { state: 'retired' } }, [event], own);
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
    const { reasons, evidence } = Decision.fromJSON(judgement.decision);
    if (judgement.verdict === 'VERDICT_ADVANCE') await this.advance(version, before, cause);
    else if (judgement.verdict === 'VERDICT_PROMOTE') await this.promote(version, before, reasons, evidence, cause);
    else await this.rollBack(version, before, 'rolled_back', reasons, evidence, cause);
  }

  private async advance(version: VersionDocument, before: Rollout, cause: Cause): Promise<void> {
    const declared = await this.documents.models.findById(`${version.tenant}/${version.model}`).lean();
    const { percent } = parseModelSpec(declared!.specJson).spec.rollout.canary;
    const change = { stage: Stage.CANARY, canaryPercent: percent, reason: 'shadow judged it good enough' };
    await this.rollouts.change(cause, version.model, before, change);
  }

  /** Makes a version champion. Resolves to the new rollout, or undefined where somebody was faster. */
  async promote(
    version: VersionDocument,
    before: Rollout,
    reasons: string[],
    evidence: Decision['evidence'],
    cause: Cause,
  ) {
    const trained = ModelTrained.fromJSON(version.trained);
    const champion = servedVersion(version.version, trained);
    const change = {
      champion,
      challenger: undefined,
      stage: Stage.ENDED,
      canaryPercent: 0,
      reason: reasons[0] ?? 'promoted',
    };
    const promoted = this.promoted(version, trained, before, reasons, evidence, cause);
    const displaced = await this.displaced(version, before);
    const told = (after: Rollout) => [
      ...promoted(after),
      ...displaced.map((other) =>
        rolledBack(other, before, 'superseded', [`${version.version} was promoted meanwhile`], [], cause),
      ),
    ];
    const after = await this.rollouts.change(cause, version.model, before, change, told);
    if (!after) return undefined;
    await this.crown(version, before);
    for (const other of displaced) await this.setState(other._id, 'retired');
    return after;
  }

  /** A challenger whose trial ends because a person has promoted another version. */
  private async displaced(version: VersionDocument, before: Rollout): Promise<VersionDocument[]> {
    if (!before.challenger || before.challenger.version === version.version) return [];
    const _id = `${version.tenant}/${version.model}/${before.challenger.version}`;
    const other = await this.documents.versions.findById(_id).lean<VersionDocument>();
    return other ? [other] : [];
  }

  /** Takes the challenger out of service. */
  async rollBack(
    version: VersionDocument,
    before: Rollout,
    outcome: string,
    reasons: string[],
    evidence: Decision['evidence'],
    cause: Cause,
  ) {
    const change = { challenger: undefined, stage: Stage.ENDED, canaryPercent: 0, reason: reasons[0] ?? outcome };
    const told = () => [rolledBack(version, before, outcome, reasons, evidence, cause)];
    const after = await this.rollouts.change(cause, version.model, before, change, told);
    if (after) await this.setState(version._id, 'rolled_back');
    return after;
  }

  private promoted(
    version: VersionDocument,
    trained: ModelTrained,
    before: Rollout,
    reasons: string[],
    evidence: Decision['evidence'],
    cause: Cause,
  ) {
    const { tenant, model, cycleId } = version;
    const subject = `${version._id}/${before.revision + 1}`;
    return (after: Rollout): Emission[] => [
      emission(
        events.modelPromoted,
        ModelPromoted.fromPartial({
          tenant,
          model,
          cycleId,
          version: version.version,
          previous: before.champion?.version ?? '',
          reference: trained.reference,
          datasetRows: trained.lineage?.datasetRows ?? 0,
          knowledgeCutoff: trained.lineage?.knowledgeCutoff,
          decision: decision({ kind: 'alias', outcome: 'promoted', subject, time: cause.time, reasons, evidence }),
          rolloutRevision: after.revision,
        }),
        cause.time,
      ),
    ];
  }

  private async crown(version: VersionDocument, before: Rollout): Promise<void> {
    if (before.champion && before.champion.version !== version.version)
      await this.setState(`${version.tenant}/${version.model}/${before.champion.version}`, 'retired');
    await this.setState(version._id, 'champion');
  }

  private async setState(_id: string, state: VersionDocument['state']): Promise<void> {
    await this.documents.versions.updateOne({ _id }, { $set: { state } });
  }
}

/** A version as serving is told of it. */
function servedVersion(version: string, trained: ModelTrained): ServedVersion {
  return { version, artifact: trained.released, specRevision: trained.lineage?.specRevision ?? 0 };
}

function rolledBack(
  version: VersionDocument,
  before: Rollout,
  outcome: string,
  reasons: string[],
  evidence: Decision['evidence'],
  cause: Cause,
) {
  const { tenant, model, cycleId } = version;
  const facts = {
    kind: 'alias',
    outcome,
    subject: `${version._id}/${before.revision}`,
    time: cause.time,
    reasons,
    evidence,
  };
  const payload = ModelRolledBack.fromPartial({
    tenant,
    model,
    cycleId,
    version: version.version,
    champion: before.champion?.version ?? '',
    outcome,
    decision: decision(facts),
    rolloutRevision: before.revision + 1,
  });
  return emission(events.modelRolledBack, payload, cause.time);
}
