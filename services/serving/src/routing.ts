/** Who answers a question, and who is scored in its shadow. Pure. */
import { createHash } from 'node:crypto';
import { Arm, type Rollout, type ServedVersion, Stage } from '@driftloop/contracts';
import { versionsOf } from './served-models.js';

export interface Route {
  readonly answers: ServedVersion;
  readonly arm: Arm;
  readonly shadows: readonly ServedVersion[];
}

/** A number in [0, 100) that stays the same for an entity through a rollout. */
export function bucketOf(rolloutId: string, entityId: string): number {
  const digest = createHash('sha256').update(`${rolloutId}\n${entityId}`).digest();
  return (digest.readUInt32BE(0) / 2 ** 32) * 100;
}

/** The route of an entity's question: sticky canary by hash(rollout, entity), everybody else in shadow. */
export function route(rollout: Rollout, entityId: string): Route {
  const canary =
    rollout.stage === Stage.CANARY &&
    rollout.challenger !== undefined &&
    bucketOf(rollout.rolloutId, entityId) < rollout.canaryPercent;
  const answers = canary ? rollout.challenger! : rollout.champion!;
  const shadows = versionsOf(rollout).filter((v) => v.version !== answers.version);
  return { answers, arm: canary ? Arm.CANARY : Arm.CHAMPION, shadows };
}
