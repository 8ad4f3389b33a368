/**
 * Closing a day, as a pure function: its predictions and the labels known by then become integer sums.
 *
 * I1  Sums are integers per row, so that the order of rows cannot change them.
 * I2  Who was champion, challenger and frozen is read from the rollout that the question followed, not from who answered.
 */
import { brierNano, FAST_STOP_BLOCK_MS, logLossNano, NANO, pairedLoss, residualMicro } from '@driftloop/algorithms';
import type { Rollout } from '@driftloop/contracts';
import { BinCounter, type CountedReference } from './count-bins.js';
import type { DayCounts, PairSums, Role, VersionSums } from './day-rows.js';
import type { LayoutDocument, PredictionRow } from './rows.documents.js';
import { entityKey, type Truth } from './truth.js';

/** All that a day's sums depend on. */
export interface ClosingDay {
  readonly rows: readonly PredictionRow[];
  readonly truth: Truth;
  readonly rolloutAt: (eventTime: number) => Rollout;
  /** The champion whose reference the features are counted against. */
  readonly reference?: CountedReference;
  readonly layouts: ReadonlyMap<string, LayoutDocument>;
  /** The day's first instant, epoch ms. */
  readonly day: number;
}

export interface DaySums {
  labelled: number;
  unlabelled: number;
  /** What has no label yet, by `entityKey`. */
  awaited: string[];
  versions: VersionSums[];
  pairs: PairSums[];
  counts: DayCounts | null;
}

export function sumDay(closing: ClosingDay): DaySums {
  const versions = new Map<string, VersionSums>();
  const pairs = new Map<string, PairSums>();
  const awaited: string[] = [];
  for (const row of closing.rows) {
    const entity = entityKey(row.entityId, row.entityTime);
    const y = closing.truth.values.get(entity);
    if (y === undefined) {
      awaited.push(entity);
      continue;
    }
    const roles = rolesAt(closing.rolloutAt(row.eventTime));
    score(versions, 'returned', '', row.probability, y);
    for (const [role, version] of Object.entries(roles))
      if (version) score(versions, role as Role, version, scoreOf(row, version), y);
    if (roles.challenger && roles.champion) pair(pairs, roles.champion, roles.challenger, row, y, closing.day);
  }
  return {
    labelled: closing.rows.length - awaited.length,
    unlabelled: awaited.length,
    awaited: awaited.sort(),
    versions: sorted(versions),
    pairs: sorted(pairs).map((p) => ({ ...p, blocks: p.blocks.sort((a, b) => a.start - b.start) })),
    counts: countBins(closing),
  };
}

const sorted = <T>(map: ReadonlyMap<string, T>): T[] => [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, v]) => v);

const rolesAt = ({ champion, challenger, frozen }: Rollout) => ({
  champion: champion?.version,
  challenger: challenger?.version,
  frozen: frozen?.version,
});

/** What a version said, or would have said, to a question; null where it failed or was not asked. */
function scoreOf(row: PredictionRow, version: string): number | null {
  if (row.version === version) return row.probability;
  return row.shadows.find((shadow) => shadow.version === version)?.probability ?? null;
}

function score(into: Map<string, VersionSums>, role: Role, version: string, p: number | null, y: 0 | 1): void {
  if (p === null) return;
  const key = `${role}/${version}`;
  const sums = into.get(key) ?? blankSums(version, role);
  sums.rows++;
  sums.lossNano += plainLossNano(p, y);
  sums.clippedLossNano += logLossNano(p, y);
  sums.residualMicro += residualMicro(p, y);
  sums.brierNano += brierNano(p, y);
  sums.correct += p >= 0.5 === (y === 1) ? 1 : 0;
  into.set(key, sums);
}

const blankSums = (version: string, role: Role): VersionSums => ({
  version,
  role,
  rows: 0,
  lossNano: 0,
  clippedLossNano: 0,
  residualMicro: 0,
  brierNano: 0,
  correct: 0,
});

/** Log loss as it is reported: p clipped only where the logarithm ends. */
function plainLossNano(p: number, y: 0 | 1): number {
  const q = Math.min(1 - 1e-6, Math.max(1e-6, p));
  return Math.round(-Math.log(y === 1 ? q : 1 - q) * NANO);
}

function pair(
  into: Map<string, PairSums>,
  champion: string,
  challenger: string,
  row: PredictionRow,
  y: 0 | 1,
  day: number,
): void {
  const [theirs, mine] = [scoreOf(row, champion), scoreOf(row, challenger)];
  if (theirs === null) return;
  const key = `${champion}/${challenger}`;
  const sums = into.get(key) ?? { champion, challenger, rows: 0, sum: 0, answerable: 0, blocks: [] };
  into.set(key, sums);
  sums.answerable++;
  if (mine === null) return;
  const delta = pairedLoss(theirs, mine, y);
  sums.rows++;
  sums.sum += delta;
  const start = day + Math.floor((row.entityTime - day) / FAST_STOP_BLOCK_MS) * FAST_STOP_BLOCK_MS;
  let block = sums.blocks.find((b) => b.start === start);
  if (!block) {
    block = { start, rows: 0, sum: 0 };
    sums.blocks.push(block);
  }
  block.rows++;
  block.sum += delta;
}

/** Counts every row that the reference's version was champion for. */
function countBins({ rows, truth, reference, layouts, rolloutAt }: ClosingDay): DayCounts | null {
  if (!reference) return null;
  const counter = new BinCounter(reference, layouts);
  for (const row of rows)
    if (rolloutAt(row.eventTime).champion?.version === reference.version)
      counter.add(row, scoreOf(row, reference.version), truth.values.get(entityKey(row.entityId, row.entityTime)));
  return counter.counts();
}
