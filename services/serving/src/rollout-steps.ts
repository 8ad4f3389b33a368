/** What this replica does for a rollout, as a step of the cycle that the rollout belongs to. */
import type { Rollout } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import type { CycleAct } from '@driftloop/service';

/** Why a rollout cannot be served as it is. */
export interface FailureFacts {
  readonly version: string;
  readonly code: string;
  readonly reason: string;
  /** The version that goes on answering; empty where there is none. */
  readonly answering: string;
}

/** A rollout as it takes over. */
export interface Taking {
  readonly cause: Cause;
  /** When loading its graphs began, wall ms. */
  readonly started: number;
  /** A person froze or thawed it, and nothing else has changed: no step of a cycle. */
  readonly holdOnly: boolean;
}

/** The registry's own step, which names it by its revision. */
const parentOf = ({ revision }: Rollout) => ({ service: 'registry', step: `rollout/${revision}` });

/** Its graphs are loaded, and it answers. */
export function followedStep(rollout: Rollout, replica: string, { cause, started, holdOnly }: Taking): CycleAct {
  const { cycleId, revision, effective, champion, challenger, frozen } = rollout;
  const loaded = new Set([champion, challenger, frozen].flatMap((served) => served?.version ?? []));
  return {
    ...{ cycleId: holdOnly ? '' : cycleId, step: `followed/${revision}/${replica}`, name: 'rollout followed' },
    ...{
      parent: parentOf(rollout),
      eventTime: effective?.getTime() ?? cause.time,
      started,
      links: [cause.traceparent],
    },
    attributes: {
      ...{
        'driftloop.replica': replica,
        'driftloop.rollout.revision': revision,
        'driftloop.loaded': [...loaded].join(' '),
      },
      ...{ 'driftloop.champion': champion?.version, 'driftloop.version': challenger?.version ?? champion?.version },
    },
  };
}

/** It cannot be served here. */
export function failedStep(rollout: Rollout, replica: string, why: FailureFacts, cause: Cause): CycleAct {
  const { cycleId, revision } = rollout;
  return {
    ...{ cycleId, step: `failed/${revision}/${replica}`, name: 'rollout failed', parent: parentOf(rollout) },
    ...{ eventTime: cause.time, links: [cause.traceparent], error: `${why.code}: ${why.reason}` },
    attributes: {
      'driftloop.replica': replica,
      'driftloop.rollout.revision': revision,
      'driftloop.version': why.version,
    },
  };
}

/** Whether two states of a rollout serve the same versions in the same stage. */
export const servesTheSame = (a: Rollout | undefined, b: Rollout): boolean =>
  a !== undefined &&
  a.stage === b.stage &&
  a.champion?.version === b.champion?.version &&
  a.challenger?.version === b.challenger?.version;
