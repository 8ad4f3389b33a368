/** Labels as they were known at an instant, joined to predictions by entity and entity time. */

import type { KnownOf } from './day-rows.js';
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
  /** Who said so. */
  readonly sources: ReadonlyMap<string, string>;
  /** How many became known in each hour, by first revision: [end of the hour, count], ascending. */
  readonly known: [number, number][];
  readonly lastKnown: number;
  /** `known` by source, in order of name. */
  readonly knownOf: KnownOf[];
}

/** `leadMs` before its entity's time a question is asked: a label that was known by then is no truth about its answer. */
export function truthAt(labels: readonly LabelRow[], at: number, leadMs: number): Truth {
  const values = new Map<string, 0 | 1>();
  const sources = new Map<string, string>();
  const hours = new Map<number, number>();
  const bySource = new Map<string, Map<number, number>>();
  for (const { entityId, entityTime, revisions } of labels) {
    const holds = revisionAt(revisions, at);
    const first = Math.min(...revisions.map((r) => r.knownAt));
    if (!holds || Number.isNaN(holds.value) || first <= entityTime - leadMs) continue;
    const { source = '' } = holds;
    values.set(entityKey(entityId, entityTime), holds.value >= 0.5 ? 1 : 0);
    sources.set(entityKey(entityId, entityTime), source);
    const end = Math.ceil(first / hour) * hour;
    const own = bySource.get(source) ?? new Map<number, number>();
    bySource.set(source, own);
    for (const counts of [hours, own]) counts.set(end, (counts.get(end) ?? 0) + 1);
  }
  const known = ascending(hours);
  const names = [...bySource].sort(([a], [b]) => (a < b ? -1 : 1));
  const knownOf = names.map(([source, own]) => ({ source, known: ascending(own) }));
  return { values, sources, known, lastKnown: known.at(-1)?.[0] ?? 0, knownOf };
}

const ascending = (hours: ReadonlyMap<number, number>) => [...hours].sort(([a], [b]) => a - b);
