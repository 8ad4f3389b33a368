/** Labels as they were known at an instant, joined to predictions by entity and entity time. */
import type { LabelRevision, LabelRow } from './rows.documents.js';

const hour = 3_600_000;

/** What names a predicted thing. */
export const entityKey = (entityId: string, entityTime: number): string => `${entityId}@${entityTime}`;

/** The revision that held at an instant: the newest known by then, the higher revision of two known together. */
export function revisionAt(revisions: readonly LabelRevision[], at: number): LabelRevision | undefined {
  let best: LabelRevision | undefined;
  for (const revision of revisions) {
    if (revision.knownAt > at) continue;
    const newer =
      !best ||
      revision.knownAt > best.knownAt ||
      (revision.knownAt === best.knownAt && revision.revision > best.revision);
    if (newer) best = revision;
  }
  return best;
}

/** The labels of a cohort as known at an instant. */
export interface Truth {
  readonly values: ReadonlyMap<string, 0 | 1>;
  /** How many became known in each hour, by first revision: [end of the hour, count], ascending. */
  readonly known: [number, number][];
  readonly lastKnown: number;
}

export function truthAt(labels: readonly LabelRow[], at: number): Truth {
  const values = new Map<string, 0 | 1>();
  const hours = new Map<number, number>();
  for (const { entityId, entityTime, revisions } of labels) {
    const holds = revisionAt(revisions, at);
    if (!holds || Number.isNaN(holds.value)) continue;
    values.set(entityKey(entityId, entityTime), holds.value >= 0.5 ? 1 : 0);
    const end = Math.ceil(Math.min(...revisions.map((r) => r.knownAt)) / hour) * hour;
    hours.set(end, (hours.get(end) ?? 0) + 1);
  }
  const known = [...hours].sort(([a], [b]) => a - b);
  return { values, known, lastKnown: known.at(-1)?.[0] ?? 0 };
}
