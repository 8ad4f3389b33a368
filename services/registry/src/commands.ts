/**
 * What a person may do by hand: promote a version, roll back, freeze the champion; audited in the rollout's reason.
 *
 * A frozen champion does not move by hand either, unless the command is forced; withdrawing a challenger leaves the
 * champion where it is, and is always possible.
 */
import {
  decision,
  type FreezeRequest,
  type PromoteRequest,
  type RollBackRequest,
  type Rollout,
  Stage,
} from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Injectable } from '@nestjs/common';
import { Aliases } from './aliases.js';
import { errors } from './errors.js';
import { RegistryDocuments, type VersionDocument } from './registry.documents.js';
import { keptHistory, Rollouts } from './rollouts.js';
import type { Grounds } from './told.js';
import { aliasesOf, Versions } from './versions.js';

const servable = new Set(['approved', 'challenger', 'champion', 'retired', 'rolled_back']);

@Injectable()
export class Commands {
  constructor(
    private readonly documents: RegistryDocuments,
    private readonly versions: Versions,
    private readonly rollouts: Rollouts,
    private readonly aliases: Aliases,
  ) {}

  /** Promotes a version now. Throws UNKNOWN_MODEL, UNKNOWN_VERSION, NOT_SERVABLE, FROZEN or ALIAS_MOVED. */
  async promote(request: PromoteRequest, cause: Cause): Promise<Rollout> {
    const before = await this.present(cause.tenant, request.model);
    const found = before.champion?.version ?? '';
    expectAlias(before, 'champion', request.expectedChampion);
    const version = await this.versions.find(cause.tenant, request.model, request.version, before);
    if (!servable.has(version.state)) throw errors.NOT_SERVABLE({ version: version.version, state: version.state });
    if (version.version === found) return before;
    const at = notBefore(cause, before);
    refuseFrozen(request, before);
    const grounds = byHand('promoted', request.note);
    const after = await this.aliases.promote(version, before, grounds, at);
    return after ?? this.lost(cause.tenant, request.model, found);
  }

  /**
   * Withdraws the challenger, or else the champion; asked twice it goes one step further back, never to what it has
   * withdrawn. Throws UNKNOWN_MODEL, NOTHING_TO_ROLL_BACK, FROZEN or ALIAS_MOVED.
   */
  async rollBack(request: RollBackRequest, cause: Cause): Promise<Rollout> {
    const before = await this.present(cause.tenant, request.model);
    const grounds = byHand('rolled back', request.note);
    const at = notBefore(cause, before);
    const found = before.champion?.version ?? '';
    expectAlias(before, 'champion', request.expectedChampion);
    expectAlias(before, 'challenger', request.expectedChallenger);
    if (before.challenger) {
      const challenger = await this.versions.find(cause.tenant, request.model, before.challenger.version, before);
      const after = await this.aliases.rollBack(challenger, before, 'withdrawn', grounds, at);
      return after ?? this.lost(cause.tenant, request.model, found);
    }
    const previous = await this.previousChampion(cause.tenant, request.model, found);
    refuseFrozen(request, before);
    const after = await this.aliases.promote(previous, before, grounds, at, 'rolled_back');
    return after ?? this.lost(cause.tenant, request.model, found);
  }

  /** Freezes the champion where it is, or thaws it; as it is already, nothing changes. Throws UNKNOWN_MODEL or ALIAS_MOVED. */
  async freeze({ model, held, note }: FreezeRequest, who: string, cause: Cause): Promise<Rollout> {
    const before = await this.present(cause.tenant, model);
    if (before.held === held) return before;
    const outcome = held ? 'frozen' : 'thawed';
    const at = notBefore(cause, before);
    const subject = `${cause.tenant}/${model}/${before.revision + 1}`;
    const reason = `${outcome} by ${who}${note && `: ${note}`}`;
    const reasons = [held ? 'a person froze the champion' : 'a person thawed the champion'];
    const said = decision({ kind: 'hold', outcome, subject, time: at.time, reasons });
    const after = await this.rollouts.change(at, model, before, {
      change: { held, reason, heldReason: held ? reason : '' },
      ...(before.stage !== Stage.ENDED && { act: { name: outcome, decision: said } }),
      stage: said,
    });
    return after ?? this.lost(cause.tenant, model, before.champion?.version ?? '');
  }

  private async previousChampion(tenant: string, model: string, champion: string): Promise<VersionDocument> {
    await this.rollouts.payStates();
    const history = await this.rollouts.history(tenant, model, keptHistory);
    const earlier = new Set(history.flatMap((rollout) => rollout.champion?.version ?? []));
    for (const version of earlier) {
      if (version === champion) continue;
      const found = await this.versions.find(tenant, model, version, undefined);
      if (found.state !== 'rolled_back') return found;
    }
    throw errors.NOTHING_TO_ROLL_BACK({ model });
  }

  private async present(tenant: string, model: string): Promise<Rollout> {
    const rollout = await this.rollouts.find(tenant, model);
    if (rollout) return rollout;
    const known = (await this.documents.models.find({ tenant }).lean()).map((m) => m.model);
    throw errors.UNKNOWN_MODEL({ model, known });
  }

  private async lost(tenant: string, model: string, expected: string): Promise<never> {
    const found = (await this.rollouts.find(tenant, model))?.champion?.version ?? '';
    throw errors.ALIAS_MOVED({ alias: 'champion', expected, found });
  }
}

/** Throws ALIAS_MOVED. */
function expectAlias(rollout: Rollout, alias: 'champion' | 'challenger', expected: string): void {
  const found = aliasesOf(rollout).get(alias) ?? 'none';
  if (expected && expected !== found) throw errors.ALIAS_MOVED({ alias, expected, found });
}

function refuseFrozen(
  { model, force }: { model: string; force: boolean },
  { held, heldReason: reason }: Rollout,
): void {
  if (held && !force) throw errors.FROZEN({ model, reason });
}

/** The decision says by whom and what; the note stays in the rollout's record. */
const byHand = (what: string, note: string): Grounds => ({ reasons: [`${what} by hand`], evidence: [], note });

/** A command takes effect now in event time, which in a replay is the rollout's own time and not the wall's. */
function notBefore(cause: Cause, before: Rollout): Cause {
  return { ...cause, time: Math.max(cause.time, before.effective?.getTime() ?? 0) };
}
