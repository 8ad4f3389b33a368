/**
 * Rows of one source in memory, by entity: what makes a re-sent row a duplicate and a later one a revision.
 *
 * I1  A row is (entity, event time, known-at); the same three again are a duplicate, or with other cells contradictory: the
 *     first one stays.
 * I2  Rows of one (entity, event time) are revisions; at t the one with the newest known-at ≤ t counts.
 */

export type Cell = number | string | undefined;

export interface Row {
  readonly entityId: string;
  /** Epoch ms. */
  readonly eventTime: number;
  readonly knownAt: number;
  /** Cells in the order of the source's declared columns; undefined is missing. */
  readonly cells: readonly Cell[];
}

/** What names a row: its entity and both of its times. */
export const nameOf = ({ entityId, eventTime, knownAt }: Row): string => `${eventTime} ${knownAt} ${entityId}`;

/** A row with the key that each `by` attribute had when the row became known. */
export interface HeldRow extends Row {
  keys: (string | undefined)[];
}

export class SourceRows {
  readonly columns: string[];
  size = 0;
  private readonly byEntity = new Map<string, HeldRow[]>();

  constructor(columns: Record<string, 'number' | 'text'>) {
    this.columns = Object.keys(columns);
  }

  of(entityId: string): readonly HeldRow[] {
    return this.byEntity.get(entityId) ?? [];
  }

  *all(): Generator<HeldRow> {
    for (const rows of this.byEntity.values()) yield* rows;
  }

  /** The row of the same entity, event time and known-at. */
  find(row: Row): Row | undefined {
    const rows = this.byEntity.get(row.entityId);
    const held = rows?.[placeOf(rows, row) - 1];
    return held?.eventTime === row.eventTime && held.knownAt === row.knownAt ? held : undefined;
  }

  /** Inserts a row that is not there yet; answers its neighbouring revisions. */
  insert(row: HeldRow): { before?: HeldRow; after?: HeldRow } {
    this.size++;
    const rows = this.byEntity.get(row.entityId);
    if (!rows) {
      this.byEntity.set(row.entityId, [row]);
      return {};
    }
    const i = placeOf(rows, row);
    const before = rows[i - 1];
    const after = rows[i];
    rows.splice(i, 0, row);
    return {
      before: before?.eventTime === row.eventTime ? before : undefined,
      after: after?.eventTime === row.eventTime ? after : undefined,
    };
  }

  /** The revision that replaces a held row, if there is one. */
  after(row: HeldRow): HeldRow | undefined {
    const rows = this.of(row.entityId);
    const next = rows[rows.indexOf(row) + 1];
    return next?.eventTime === row.eventTime ? next : undefined;
  }

  /**
   * The entity's row as it was known at `at`: the newest revision at event time `time`, or, where there is none, of
   * its newest event time.
   */
  entityRow(entityId: string, at: number, time: number | undefined): HeldRow | undefined {
    const rows = this.byEntity.get(entityId);
    let newest: HeldRow | undefined;
    for (let i = (rows?.length ?? 0) - 1; i >= 0; i--) {
      const row = rows![i];
      if (row.knownAt > at) continue;
      if (row.eventTime === time) return row;
      newest ??= row;
      if (time === undefined || row.eventTime < time) break;
    }
    return newest;
  }

  /** Forgets rows that `keep` refuses. */
  trim(keep: (row: HeldRow) => boolean): void {
    for (const [entityId, rows] of this.byEntity) {
      const kept = rows.every(keep) ? rows : rows.filter(keep);
      this.size -= rows.length - kept.length;
      if (!kept.length) this.byEntity.delete(entityId);
      else if (kept !== rows) this.byEntity.set(entityId, kept);
    }
  }
}

/** Where a row belongs in rows sorted by (event time, known-at): after those at or before it. */
function placeOf(rows: readonly Row[], { eventTime, knownAt }: Row): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle];
    if (row.eventTime < eventTime || (row.eventTime === eventTime && row.knownAt <= knownAt)) low = middle + 1;
    else high = middle;
  }
  return low;
}
