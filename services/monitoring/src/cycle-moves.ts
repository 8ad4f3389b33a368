/** What each fact of the loop means for the cycle that it belongs to. */
import {
  type Decision,
  ModelApproved,
  ModelPromoted,
  ModelRefused,
  ModelRolledBack,
  ModelTrained,
  RolloutChanged,
  RolloutFailed,
  RolloutFollowed,
  Stage,
  TrainingFailed,
  Verdict,
} from '@driftloop/contracts';
import type { Judgement } from './judgement.js';
import type { CycleOutcome, FactDocument } from './loop-rows.js';
import { effectiveMs, type ModelView } from './view.js';

/** A step of a cycle, and what it changes. */
export interface CycleMove {
  cycleId: string;
  service: string;
  what: string;
  decision?: Decision;
  version?: string;
  rolloutId?: string;
  /** The stage that begins. */
  stage?: { name: 'gate' | 'shadow' | 'canary'; since: number };
  outcome?: { name: CycleOutcome; reasons: string[] };
  /** A rollout is on trial at this stage: to be withdrawn where the cycle is closed already. */
  onTrial?: Stage;
  /** A replica cannot hold the rollout: to be rolled back. */
  failure?: Judgement & { stage: Stage };
}

type Reading = (payload: unknown, fact: FactDocument, view: ModelView) => CycleMove | undefined;

const readings: Record<string, Reading> = {
  'model.trained': (payload, { time }) => {
    const { cycleId, lineage } = ModelTrained.fromJSON(payload);
    const what = `trained on ${lineage?.datasetRows ?? 0} rows`;
    return { cycleId, service: 'training', what, stage: { name: 'gate', since: time } };
  },
  'training.failed': (payload) => {
    const { cycleId, code, reason } = TrainingFailed.fromJSON(payload);
    const reasons = [`${code}: ${reason}`];
    return { cycleId, service: 'training', what: 'training failed', outcome: { name: 'failed', reasons } };
  },
  'model.approved': (payload) => {
    const { cycleId, version, decision } = ModelApproved.fromJSON(payload);
    return { cycleId, service: 'registry', what: `the gate approves ${version}`, version, decision };
  },
  'model.refused': (payload) => {
    const { cycleId, version, decision } = ModelRefused.fromJSON(payload);
    const outcome = { name: 'refused' as const, reasons: decision?.reasons ?? [] };
    return { cycleId, service: 'registry', what: `the gate refuses ${version}`, version, decision, outcome };
  },
  'rollout.changed': (payload, _fact, view) => {
    const { rollout } = RolloutChanged.fromJSON(payload);
    if (!rollout?.cycleId || rollout.stage === Stage.ENDED) return undefined;
    const { cycleId, rolloutId, stage, canaryPercent, challenger, held } = rollout;
    const name = stage === Stage.CANARY ? 'canary' : 'shadow';
    const traffic = name === 'canary' ? `canary of ${canaryPercent}%` : 'shadow';
    const version = challenger?.version ?? '';
    const present = view.rollout.rolloutId === rolloutId && view.rollout.stage === stage;
    return {
      ...{
        cycleId,
        service: 'registry',
        what: `${version} in ${traffic}${held ? ', frozen' : ''}`,
        version,
        rolloutId,
      },
      stage: { name, since: effectiveMs(rollout) },
      ...(present && { onTrial: stage }),
    };
  },
  'rollout.followed': (payload) => {
    const { cycleId, replica, revision, version } = RolloutFollowed.fromJSON(payload);
    const what = `replica ${replica} follows revision ${revision}; ${version} answers`;
    return { cycleId, service: 'serving', what };
  },
  'rollout.failed': (payload, _fact, view) => {
    const { cycleId, rolloutId, version, replica, code, reason } = RolloutFailed.fromJSON(payload);
    const what = `replica ${replica} cannot serve ${version}: ${code}`;
    if (view.rollout.rolloutId !== rolloutId || view.rollout.stage === Stage.ENDED)
      return { cycleId, service: 'serving', what };
    const verdict = Verdict.ROLL_BACK;
    const failure = { verdict, reasons: [`${what}: ${reason}`], evidence: [], stage: view.rollout.stage };
    return { cycleId, service: 'serving', what, rolloutId, failure };
  },
  'model.promoted': (payload) => {
    const { cycleId, version, decision } = ModelPromoted.fromJSON(payload);
    const outcome = { name: 'promoted' as const, reasons: decision?.reasons ?? [] };
    return { cycleId, service: 'registry', what: `${version} is champion`, version, decision, outcome };
  },
  'model.rolled-back': (payload) => {
    const { cycleId, version, decision, outcome } = ModelRolledBack.fromJSON(payload);
    const name: CycleOutcome = outcome === 'superseded' ? 'superseded' : 'rolled_back';
    const reasons = decision?.reasons ?? [];
    return {
      cycleId,
      service: 'registry',
      what: `${version} is withdrawn`,
      version,
      decision,
      outcome: { name, reasons },
    };
  },
};

/** The step that a fact is; undefined where it belongs to no cycle. */
export function moveOf(view: ModelView, fact: FactDocument): CycleMove | undefined {
  const move = readings[fact.topic]?.(JSON.parse(fact.payload), fact, view);
  return move?.cycleId ? move : undefined;
}
