/** What the registry tells of a version that was promoted or withdrawn, and a version as serving is told of it. */
import {
  type CycleSpan,
  type Decision,
  decision,
  events,
  ModelPromoted,
  ModelRolledBack,
  ModelTrained,
  type Rollout,
  type ServedVersion,
} from '@driftloop/contracts';
import { type Emission, emission } from '@driftloop/documents';
import type { VersionDocument } from './registry.documents.js';

/** Why something was decided. `note` is a person's: for the rollout's record, never in a decision, and so not in the ledger. */
export interface Grounds {
  readonly note?: string;
  readonly reasons: readonly string[];
  readonly evidence: readonly Decision['evidence'][number][];
}

/** A version as serving is told of it. */
export function servedVersion(version: string, trained: ModelTrained): ServedVersion {
  return { version, artifact: trained.released, specRevision: trained.lineage?.specRevision ?? 0 };
}

/** The decision that makes a version champion. `time`: epoch ms. */
export function promotion(version: VersionDocument, before: Rollout, grounds: Grounds, time: number): Decision {
  const subject = `${version._id}/${before.revision + 1}`;
  const { reasons, evidence } = grounds;
  return decision({ kind: 'alias', outcome: 'promoted', subject, time, reasons, evidence });
}

/** The decision that takes a version out of service. */
export function withdrawal(
  version: VersionDocument,
  before: Rollout,
  outcome: string,
  grounds: Grounds,
  time: number,
): Decision {
  const { reasons, evidence } = grounds;
  const subject = `${version._id}/${before.revision}`;
  return decision({ kind: 'alias', outcome, subject, time, reasons, evidence });
}

/** model.promoted */
export function promoted(
  version: VersionDocument,
  before: Rollout,
  said: Decision,
  span: CycleSpan | undefined,
): Emission {
  const { tenant, model, cycleId } = version;
  const trained = ModelTrained.fromJSON(version.trained);
  const payload = ModelPromoted.fromPartial({
    ...{ tenant, model, cycleId, version: version.version, previous: before.champion?.version ?? '' },
    reference: trained.reference,
    datasetRows: trained.lineage?.datasetRows ?? 0,
    knowledgeCutoff: trained.lineage?.knowledgeCutoff,
    ...{ decision: said, rolloutRevision: before.revision + 1, span },
  });
  return emission(events.modelPromoted, payload, said.eventTime!.getTime());
}

/** model.rolled-back */
export function rolledBack(
  version: VersionDocument,
  before: Rollout,
  said: Decision,
  span: CycleSpan | undefined,
): Emission {
  const { tenant, model, cycleId } = version;
  const payload = ModelRolledBack.fromPartial({
    ...{ tenant, model, cycleId, version: version.version, champion: before.champion?.version ?? '' },
    ...{ outcome: said.outcome, decision: said, rolloutRevision: before.revision + 1, span },
  });
  return emission(events.modelRolledBack, payload, said.eventTime!.getTime());
}
