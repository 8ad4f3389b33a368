/** Who answers a question. Pure. */
import { createHash } from 'node:crypto';
import { Arm, Stage } from '@driftloop/contracts';
import { errors } from './errors.js';
import type { GraphSet, ServedRollout } from './served-models.js';

export interface Route {
  /** Index of the answering version in the rollout. */
  readonly answers: number;
  readonly arm: Arm;
  /** The graphs to score: all of the rollout, or the one that was asked for. */
  readonly graphs: GraphSet;
  /** Whether the request named its version: it answers alone and is not logged; it is a look, not traffic. */
  readonly pinned: boolean;
}

/** A number in [0, 100) that stays the same for an entity through a rollout. */
export function bucketOf(rolloutId: string, entityId: string): number {
  const digest = createHash('sha256').update(`${rolloutId}\n${entityId}`).digest();
  return (digest.readUInt32BE(0) / 2 ** 32) * 100;
}

/** The route of an entity's question: sticky canary by hash(rollout, entity); everybody else is scored in shadow. */
export function route(served: ServedRollout, entityId: string): Route {
  const { rollout, names } = served;
  const challenger = rollout.stage === Stage.CANARY ? names.get('challenger') : undefined;
  const canary = challenger !== undefined && bucketOf(rollout.rolloutId, entityId) < rollout.canaryPercent;
  const answers = canary ? challenger : names.get('champion')!;
  return { answers, arm: canary ? Arm.CANARY : Arm.CHAMPION, graphs: served, pinned: false };
}

/** The route of a request that names its version, or an alias of it. Throws UNKNOWN_VERSION. */
export function pinnedRoute(model: string, { names, alone }: ServedRollout, version: string): Route {
  const answers = names.get(version);
  if (answers === undefined) throw errors.UNKNOWN_VERSION({ model, version, known: [...names.keys()] });
  return { answers, arm: Arm.CHAMPION, graphs: alone[answers], pinned: true };
}
