/**
 * The moves of a model's aliases: a version goes on trial, the trial goes on as canary, ends in promotion or withdrawal.
 *
 * I1  The rollout moves by compare-and-set (rollouts.ts) with what is told of it and what becomes of the versions; a move
 *     made again after a crash finds the rollout moved.
 */
import { decision, ModelTrained, parseModelSpec, type Rollout, Stage } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { type OwedState, RegistryDocuments, type VersionDocument } from './registry.documents.js';
import { Rollouts } from './rollouts.js';
import { type Grounds, promoted, promotion, rolledBack, servedVersion, withdrawal } from './told.js';

const noTrial = { challenger: undefined, stage: Stage.ENDED, canaryPercent: 0 } as const;

@Injectable()
export class Aliases {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly rollouts: Rollouts,
  ) {}

  /** The first trained version, which nothing can be compared with, becomes champion at once, and the frozen one. */
  async crownFirst(version: VersionDocument, before: Rollout, cause: Cause): Promise<void> {
    const served = servedVersion(version.version, ModelTrained.fromJSON(version.trained));
    const reasons = ['the first trained version; nothing to stand trial against'];
    const said = promotion(version, before, { reasons, evidence: [] }, cause.time);
    await this.rollouts.change(cause, version.model, before, {
      states: crowned(version, before),
      change: { ...noTrial, champion: served, frozen: served, cycleId: version.cycleId, reason: 'bootstrap' },
      act: { name: 'promoted', decision: said, attributes: { 'driftloop.version': version.version } },
      emit: (span) => [promoted(version, before, said, span)],
    });
  }

  /** A version goes into shadow. */
  async beginTrial(version: VersionDocument, before: Rollout, cause: Cause): Promise<void> {
    const reason = 'approved by the gate';
    const said = stageDecision(before, version, 'shadow', reason, cause.time);
    await this.rollouts.change(cause, version.model, before, {
      states: [{ version: version._id, state: 'challenger' }],
      change: {
        challenger: servedVersion(version.version, ModelTrained.fromJSON(version.trained)),
        ...{ stage: Stage.SHADOW, canaryPercent: 0, cycleId: version.cycleId, reason },
        rolloutId: `${version.cycleId}/${version.version}`,
      },
      act: { name: 'stage shadow', decision: said, attributes: trialOf(version, 'shadow') },
      stage: said,
    });
  }

  /** A trial in shadow goes on as canary. */
  async advance(version: VersionDocument, before: Rollout, cause: Cause): Promise<void> {
    const declared = await this.documents.models.findById(`${version.tenant}/${version.model}`).lean();
    const { percent } = parseModelSpec(declared!.specJson).spec.rollout.canary;
    const reason = 'shadow judged it good enough';
    const said = stageDecision(before, version, 'canary', reason, cause.time);
    const attributes = { ...trialOf(version, 'canary'), 'driftloop.canary.percent': percent };
    await this.rollouts.change(cause, version.model, before, {
      change: { stage: Stage.CANARY, canaryPercent: percent, reason },
      act: { name: 'stage canary', decision: said, attributes },
      stage: said,
    });
  }

  /**
   * Makes a version champion; the one before it is `left` as stated. Resolves to the new rollout, or undefined where
   * somebody was faster.
   */
  async promote(
    version: VersionDocument,
    before: Rollout,
    grounds: Grounds,
    cause: Cause,
    left: 'retired' | 'rolled_back' = 'retired',
  ): Promise<Rollout | undefined> {
    const champion = servedVersion(version.version, ModelTrained.fromJSON(version.trained));
    const said = promotion(version, before, grounds, cause.time);
    const displaced = await this.displaced(version, before);
    const own = before.challenger?.version === version.version;
    const superseded = { reasons: [`${version.version} was promoted meanwhile`], evidence: [] };
    const ending = displaced && withdrawal(displaced, before, 'superseded', superseded, cause.time);
    return this.rollouts.change(cause, version.model, before, {
      states: [...crowned(version, before, left), ...(displaced ? [retired(displaced._id)] : [])],
      // A champion that no trial of this rollout brought forth belongs to no cycle.
      change: {
        ...noTrial,
        champion,
        reason: recorded(grounds, 'promoted'),
        ...(!before.challenger && { cycleId: '' }),
      },
      act: {
        ...{ name: own ? 'promoted' : 'superseded', decision: ending ?? said },
        attributes: { 'driftloop.version': (displaced ?? version).version },
      },
      emit: (span) => [
        promoted(version, before, said, own ? span : undefined),
        ...(displaced && ending ? [rolledBack(displaced, before, ending, span)] : []),
      ],
    });
  }

  /** Takes the challenger out of service. */
  async rollBack(
    version: VersionDocument,
    before: Rollout,
    outcome: 'rolled_back' | 'withdrawn',
    grounds: Grounds,
    cause: Cause,
  ): Promise<Rollout | undefined> {
    const said = withdrawal(version, before, outcome, grounds, cause.time);
    const attributes = { 'driftloop.version': version.version, 'driftloop.champion': before.champion?.version };
    return this.rollouts.change(cause, version.model, before, {
      states: [{ version: version._id, state: 'rolled_back' }],
      change: { ...noTrial, reason: recorded(grounds, outcome) },
      act: { name: outcome.replace('_', ' '), decision: said, attributes },
      emit: (span) => [rolledBack(version, before, said, span)],
    });
  }

  /** A challenger whose trial ends because a person has promoted another version. */
  private async displaced(version: VersionDocument, before: Rollout): Promise<VersionDocument | null> {
    if (!before.challenger || before.challenger.version === version.version) return null;
    const _id = `${version.tenant}/${version.model}/${before.challenger.version}`;
    return this.documents.versions.findById(_id).lean<VersionDocument>();
  }
}

const retired = (version: string): OwedState => ({ version, state: 'retired' });

/** What becomes of a new champion and the one before it. */
function crowned(
  { _id, tenant, model, version }: VersionDocument,
  { champion }: Rollout,
  left: 'retired' | 'rolled_back' = 'retired',
): OwedState[] {
  const isMoved = champion && champion.version !== version;
  const before = isMoved ? [{ version: `${tenant}/${model}/${champion.version}`, state: left }] : [];
  return [...before, { version: _id, state: 'champion' }];
}

const trialOf = ({ version }: VersionDocument, stage: 'shadow' | 'canary') => ({
  'driftloop.version': version,
  'driftloop.stage': stage,
});

function stageDecision(before: Rollout, version: VersionDocument, stage: string, reason: string, time: number) {
  const subject = `${version._id}/${before.revision + 1}`;
  return decision({ kind: 'stage', outcome: stage, subject, time, reasons: [reason] });
}

/** A move's reason as the rollout keeps it. */
const recorded = ({ reasons, note }: Grounds, otherwise: string): string =>
  `${reasons[0] ?? otherwise}${note ? `: ${note}` : ''}`;
