/**
 * Who really answers: what each replica of serving has said last, of following the rollout or of failing to.
 *
 * I1  Of two reports of one replica on one revision the later holds, by the replica's own count: bytes may be spoiled after
 *     a rollout was followed, and restored after it had failed. Where they were not counted, it follows.
 */
import { RolloutFailed, RolloutFollowed } from '@driftloop/contracts';
import type { FactDocument } from './loop-rows.js';

/** A replica as it was heard last. */
export interface ReplicaState {
  readonly replica: string;
  readonly revision: number;
  /** Its count of reports; 0 where it keeps none. */
  readonly report: number;
  /** The version that it answers callers with outside a canary; empty where it has none. */
  readonly answering: string;
  /** Why it does not follow the newest revision that it has heard of. */
  readonly failure?: string;
}

/**
 * The replicas of a model that have spoken of its newest revision, by name; a replica that has not is on its way, or
 * gone for good.
 */
export function replicasOf(facts: readonly FactDocument[]): ReplicaState[] {
  const states = new Map<string, ReplicaState>();
  for (const state of facts.flatMap(stateOf)) {
    const known = states.get(state.replica);
    if (!known || isLater(state, known)) states.set(state.replica, state);
  }
  const newest = Math.max(...[...states.values()].map(({ revision }) => revision));
  const present = [...states.values()].filter(({ revision }) => revision === newest);
  return present.sort((a, b) => (a.replica < b.replica ? -1 : 1));
}

/** I1 */
const isLater = (one: ReplicaState, known: ReplicaState): boolean =>
  one.revision - known.revision || one.report - known.report
    ? (one.revision - known.revision || one.report - known.report) > 0
    : !one.failure;

function stateOf({ topic, payload }: FactDocument): ReplicaState[] {
  if (topic === 'rollout.followed') {
    const { replica, revision, version, report } = RolloutFollowed.fromJSON(JSON.parse(payload));
    return [{ replica, revision, report, answering: version }];
  }
  if (topic !== 'rollout.failed') return [];
  const { replica, revision, report, answering, version, code, reason } = RolloutFailed.fromJSON(JSON.parse(payload));
  return [{ replica, revision, report, answering, failure: `cannot serve ${version} (${code}: ${reason})` }];
}

/** For a person: the replicas that answer with something else than the rollout says. */
export function fallenBack(replicas: readonly ReplicaState[]): string[] {
  return replicas.flatMap(({ replica, answering, failure }) => {
    if (!failure) return [];
    const meanwhile = answering ? `it goes on answering with ${answering}` : 'it answers with nothing';
    return [`replica ${replica} ${failure}: ${meanwhile}; promote a version that can be served, or roll back`];
  });
}
