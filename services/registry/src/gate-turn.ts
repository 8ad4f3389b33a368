/**
 * The gate's turn at a tick: candidates that are due get their verdict, those that passed get their rollout.
 *
 * I1  Every step is repeatable: a step's document and its events are one write, and the next step looks at documents only.
 * I2  A candidate is on trial only against the champion that it was compared with, at the revision read at the cycle's
 *     opening; else its cycle is superseded. A freeze in between moves nothing.
 * I3  A candidate whose turn fails by a fault of its own waits for the next tick, aloud; those of other models have theirs.
 */
import {
  type CycleSpan,
  Decision,
  events,
  ModelApproved,
  ModelRefused,
  ModelTrained,
  parseModelSpec,
  type Rollout,
} from '@driftloop/contracts';
import { type Cause, emission, Outbox } from '@driftloop/documents';
import { CycleSpans, Isolation } from '@driftloop/service';
import { Injectable } from '@nestjs/common';
import { Aliases } from './aliases.js';
import { gateDecision } from './gate.js';
import { RegistryDocuments, type VersionDocument } from './registry.documents.js';
import { Rollouts } from './rollouts.js';
import { rolledBack, withdrawal } from './told.js';

@Injectable()
export class GateTurn {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly rollouts: Rollouts,
    private readonly aliases: Aliases,
    private readonly outbox: Outbox,
    private readonly spans: CycleSpans,
    private readonly isolation: Isolation,
  ) {}

  /** Acts on the candidates dated at or before the tick before (epoch ms). */
  async take(previous: number, cause: Cause): Promise<void> {
    // I3
    for (const version of await this.due('registered', previous))
      await this.isolation.guard(version, 'gate', () => this.passGate(version, cause));
    for (const version of await this.due('approved', previous))
      await this.isolation.guard(version, 'beginning of a trial', () => this.beginTrial(version, cause));
  }

  private async due(state: 'registered' | 'approved', previous: number): Promise<VersionDocument[]> {
    const versions = await this.documents.versionsIn(state);
    return versions.filter((v) => v.eventTime.getTime() <= previous).sort((a, b) => (a._id < b._id ? -1 : 1));
  }

  /** The gate's word becomes the version's state, and is told. */
  private async passGate(version: VersionDocument, cause: Cause): Promise<void> {
    const started = this.spans.begin();
    const { _id, tenant, model, cycleId } = version;
    const declared = await this.documents.models.findById(`${tenant}/${model}`).lean();
    const trained = ModelTrained.fromJSON(version.trained);
    const verdict = gateDecision(trained, version.version, parseModelSpec(declared!.specJson), cause.time);
    const approved = verdict.outcome === 'approved';
    const attributes = { 'driftloop.version': version.version, 'driftloop.champion': trained.champion };
    const span = this.rowOf(version, 'gate', verdict, started, cause, attributes);
    const told = { tenant, model, cycleId, version: version.version, decision: verdict, span };
    const event = approved
      ? emission(events.modelApproved, ModelApproved.fromPartial(told), cause.time)
      : emission(events.modelRefused, ModelRefused.fromPartial(told), cause.time);
    const written = await this.outbox.update(
      this.documents.versions,
      { _id, state: 'registered' },
      { $set: { state: approved ? 'approved' : 'refused', gate: Decision.toJSON(verdict) } },
      [event],
      { ...cause, tenant, id: `${_id}/gate` },
    );
    if (written) this.spans.send(span);
  }

  /** An approved version goes into shadow; the first trained one straight to champion, unless that is frozen. */
  private async beginTrial(version: VersionDocument, cause: Cause): Promise<void> {
    const own = { ...cause, tenant: version.tenant };
    const trained = ModelTrained.fromJSON(version.trained);
    const before = await this.rollouts.find(version.tenant, version.model);
    if (!before) return;
    if (await this.moved(version, before, trained)) return this.supersede(version, trained, before, own);
    if (trained.purpose !== 'bootstrap') return this.aliases.beginTrial(version, before, own);
    if (!before.held) await this.aliases.crownFirst(version, before, own);
  }

  /** I2 */
  private async moved({ tenant, model }: VersionDocument, before: Rollout, trained: ModelTrained): Promise<boolean> {
    if (before.champion?.version !== trained.champion) return true;
    return this.rollouts.movedSince(tenant, model, before, trained.rolloutRevision);
  }

  private async supersede(
    version: VersionDocument,
    trained: ModelTrained,
    before: Rollout,
    cause: Cause,
  ): Promise<void> {
    const reasons = [
      `champion was ${trained.champion} (revision ${trained.rolloutRevision}) when the cycle opened and is ${before.champion?.version} (revision ${before.revision}) now`,
    ];
    const said = withdrawal(version, before, 'superseded', { reasons, evidence: [] }, cause.time);
    const span = this.rowOf(version, 'superseded', said, this.spans.begin(), cause);
    const event = rolledBack(version, before, said, span);
    const filter = { _id: version._id, state: 'approved' };
    const own = { ...cause, id: `${version._id}/superseded` };
    const update = { $set: { state: 'retired' } };
    const written = await this.outbox.update(this.documents.versions, filter, update, [event], own);
    if (written) this.spans.send(span);
  }

  private rowOf(
    { cycleId, version }: VersionDocument,
    step: string,
    said: Decision,
    started: number,
    cause: Cause,
    attributes: Record<string, string> = { 'driftloop.version': version },
  ): CycleSpan | undefined {
    const links = [cause.traceparent];
    return this.spans.row({ cycleId, step, eventTime: cause.time, started, links, attributes, decision: said });
  }
}
