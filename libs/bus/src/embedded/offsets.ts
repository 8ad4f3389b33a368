/**
 * Committed offsets: how far each group has come in each lane.
 *
 * I1  An offset moves only after its handler resolved. It becomes durable with the next flush: every 128 events, after
 *     20 ms, with the next publish, or before `settled` resolves. A crash between repeats those events, never loses one.
 */
import type { StatementSync } from 'node:sqlite';
import { busPoints } from '../points.js';
import type { Lane } from './log.js';
import type { Store } from './store.js';

const flushEvents = 128;
const flushMs = 20;

/** The place of one group in one lane: the next offset that it will hear. */
export interface Place {
  readonly group: string;
  readonly lane: Lane;
  next: number;
}

export class Offsets {
  readonly #moved = new Set<Place>();
  #events = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #select: StatementSync;
  readonly #upsert: StatementSync;
  readonly #seen: StatementSync;

  constructor(
    readonly store: Store,
    readonly clock: () => number,
    /** Told after a flush that came late, since `settled` may wait for it. */
    readonly flushed: () => void,
  ) {
    this.#select = store.prepare('SELECT committed FROM bus_offsets WHERE group_name = ? AND lane = ?');
    this.#upsert = store.prepare(
      `INSERT INTO bus_offsets VALUES (?, ?, ?)
       ON CONFLICT (group_name, lane) DO UPDATE SET committed = excluded.committed`,
    );
    this.#seen = store.prepare(
      'INSERT INTO bus_groups VALUES (?, ?) ON CONFLICT (group_name) DO UPDATE SET seen_at = excluded.seen_at',
    );
  }

  /** A group's place in a lane; a new group's is `start`, durable at once, so that it misses nothing from here on. */
  open(group: string, lane: Lane, start: () => number): Place {
    const row = this.#select.get(group, lane.number);
    const place = { group, lane, next: row ? Number(row.committed) : start() };
    this.store.transaction(() => {
      this.#seen.run(group, Math.round(this.clock()));
      this.#upsert.run(group, lane.number, place.next);
    });
    return place;
  }

  /** Marks groups as alive, so that retention waits for them. */
  see(groups: Iterable<string>): void {
    this.store.transaction(() => {
      for (const group of groups) this.#seen.run(group, Math.round(this.clock()));
    });
  }

  /** Moves a place; durable with the next flush (I1). */
  move(place: Place, next: number): void {
    place.next = next;
    this.#moved.add(place);
    if (++this.#events >= flushEvents) this.flush();
    else this.#arm();
  }

  /** Writes one place, inside a transaction of the caller's. */
  put(place: Place, next: number): void {
    this.#upsert.run(place.group, place.lane.number, next);
  }

  /** Writes what moved, inside a transaction of the caller's; `clean` follows its commit. */
  write(): void {
    for (const place of this.#moved) this.#upsert.run(place.group, place.lane.number, place.next);
  }

  clean(): void {
    this.#moved.clear();
    this.#events = 0;
  }

  /** Makes all places durable; false when SQLite cannot now, and then it is tried again soon. */
  flush(): boolean {
    if (this.#moved.size === 0) return true;
    busPoints.beforeCommitOffset.publish(undefined);
    try {
      this.store.transaction(() => this.write());
    } catch {
      this.#events = 0;
      this.#arm();
      return false;
    }
    busPoints.afterCommitOffset.publish(undefined);
    this.clean();
    return true;
  }

  /** All known places, of groups that are here and of those that are not. */
  known(): { group: string; lane: number; committed: number }[] {
    const rows = this.store.prepare('SELECT group_name, lane, committed FROM bus_offsets').all();
    return rows.map((row) => ({
      group: String(row.group_name),
      lane: Number(row.lane),
      committed: Number(row.committed),
    }));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.flush()) this.flushed();
    }, flushMs).unref();
  }
}
