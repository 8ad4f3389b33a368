/**
 * A closed day by the source of its labels, so that one source can be left out of it; and what the champion witnesses of
 * each.
 *
 * I1  A day without what is held is again sums of integers: the parts of the sources that are left.
 * I2  Only versions that a training made are witnesses: a constant prior knows nothing of labels.
 */
import { mergeWitness, type WitnessDay, type WitnessSums, witnessOf } from '@driftloop/algorithms';
import { type ClosingDay, sumDay } from './close-day.js';
import type { DayDocument, DayPart, HeldMark, PairSums, VersionSums } from './day-rows.js';
import { entityKey } from './truth.js';

type Witnesses = Record<string, Omit<WitnessSums, 'source'>>;

export function partsOf(closing: ClosingDay): DayPart[] {
  const sourceOf = ({ entityId, entityTime }: { entityId: string; entityTime: number }) =>
    closing.truth.sources.get(entityKey(entityId, entityTime));
  const labelled = closing.rows.filter((row) => sourceOf(row) !== undefined);
  const bySource = [...Map.groupBy(labelled, (row) => sourceOf(row)!)].sort(([a], [b]) => (a < b ? -1 : 1));
  return bySource.map(([source, rows]) => {
    const { versions, pairs } = sumDay({ ...closing, rows, reference: undefined });
    const alone = bySource.length === 1;
    return {
      source,
      labelled: rows.length,
      versions: alone ? [] : versions,
      pairs: alone ? [] : pairs,
      witness: JSON.stringify(witnesses(closing, source, rows)),
    };
  });
}

function witnesses({ truth, rolloutAt }: ClosingDay, source: string, rows: ClosingDay['rows']): Witnesses {
  const answers = new Map<string, { p: number; y: 0 | 1 }[]>();
  for (const row of rows) {
    const champion = rolloutAt(row.eventTime).champion?.version ?? '';
    const shadow = row.shadows.find(({ version }) => version === champion);
    const p = row.version === champion ? row.probability : (shadow?.probability ?? null);
    if (p === null) continue;
    const y = truth.values.get(entityKey(row.entityId, row.entityTime))!;
    answers.set(champion, [...(answers.get(champion) ?? []), { p, y }]);
  }
  const sums = [...answers].map(([version, own]) => {
    const { source: _source, ...rest } = witnessOf(source, own);
    return [version, rest] as const;
  });
  return Object.fromEntries(sums);
}

/** What trained champions witnessed of a day's labels (I2). */
export function witnessDay({ day, parts = [] }: DayDocument, isTrained: (version: string) => boolean): WitnessDay {
  const sources = parts.flatMap(({ source, witness }) => {
    const trained = Object.entries(JSON.parse(witness) as Witnesses).filter(([version]) => isTrained(version));
    const sums = trained.map(([, own]) => ({ ...own, source }));
    return sums.length ? [mergeWitness(source, sums)] : [];
  });
  return { day, sources };
}

/** A closed day without what is held (I1): what signals and verdicts may see of it. */
export function unheld(day: DayDocument): DayDocument {
  const held = (day.held ?? []).filter(({ until }) => until === null);
  if (!held.length) return day;
  const parts = (day.parts ?? []).filter(({ source }) => !covers(held, source));
  if (parts.length === (day.parts ?? []).length && !covers(held, undefined)) return day;
  return {
    ...day,
    labelled: parts.reduce((sum, { labelled }) => sum + labelled, 0),
    versions: mergeVersions(parts.flatMap(({ versions }) => versions)),
    pairs: mergePairs(parts.flatMap(({ pairs }) => pairs)),
  };
}

const covers = (held: readonly HeldMark[], of: string | undefined): boolean =>
  held.some(({ source }) => source === '' || source === of);

/**
 * Labels of a day that became known after an instant and are not held; those that a person let in count as known when
 * they were let in.
 */
export function knownAfter({ known, knownOf, held = [] }: DayDocument, after: number): number {
  const of = held.length && knownOf?.length ? knownOf : [{ source: '', known }];
  return of.reduce((sum, { source, known: hours }) => {
    const marks = held.filter((mark) => mark.source === '' || mark.source === source);
    if (marks.some(({ until }) => until === null)) return sum;
    const letIn = Math.max(Number.NEGATIVE_INFINITY, ...marks.map(({ until }) => until!));
    return hours.reduce((count, [end, n]) => (Math.max(end, letIn) > after ? count + n : count), sum);
  }, 0);
}

function mergeVersions(parts: readonly VersionSums[]): VersionSums[] {
  const merged = new Map<string, VersionSums>();
  for (const part of parts) {
    const key = `${part.role}/${part.version}`;
    const sums = merged.get(key);
    if (!sums) merged.set(key, { ...part });
    else
      for (const field of ['rows', 'lossNano', 'clippedLossNano', 'residualMicro', 'brierNano', 'correct'] as const)
        sums[field] += part[field];
  }
  return inOrder(merged);
}

function mergePairs(parts: readonly PairSums[]): PairSums[] {
  const merged = new Map<string, PairSums>();
  for (const part of parts) {
    const key = `${part.champion}/${part.challenger}`;
    const sums = merged.get(key) ?? { ...part, rows: 0, sum: 0, answerable: 0, blocks: [] };
    merged.set(key, sums);
    for (const field of ['rows', 'sum', 'answerable'] as const) sums[field] += part[field];
    for (const block of part.blocks) {
      const same = sums.blocks.find(({ start }) => start === block.start);
      if (!same) sums.blocks.push({ ...block });
      else Object.assign(same, { rows: same.rows + block.rows, sum: same.sum + block.sum });
    }
    sums.blocks.sort((a, b) => a.start - b.start);
  }
  return inOrder(merged);
}

const inOrder = <T>(merged: ReadonlyMap<string, T>): T[] =>
  [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, sums]) => sums);
