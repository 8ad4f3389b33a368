/**
 * Retention: what the log drops, and when.
 *
 * I1  Nothing is dropped that a known group has still to hear. A group is known for `forgetGroupsAfterDays` after it was
 *     last here; later it goes on with whatever is retained.
 * I2  A topic kept for days drops what is older (wall time of publishing), and its oldest when it is over
 *     `largestTopicBytes`; a compacted topic drops what a later event of the same key supersedes.
 * I3  One step looks at 500 events of one lane and drops at most 4 MiB in one transaction; between two steps the event
 *     loop turns. The last event of a lane stays (I3 of the log).
 */
import type { StatementSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { dayMs } from '@driftloop/contracts';
import type { Report } from '../incident.js';
import { type Lane, type Log, laneEnd, type Topic } from './log.js';
import type { Store } from './store.js';

const stepEvents = 500;
const stepBytes = 4 * 1024 * 1024;

export interface RetentionOptions {
  /** Wall time between two rounds, in ms; a round also follows 16 MiB of publishing. Default 60,000. */
  readonly everyMs?: number;
  /** Bytes of JSON that a topic kept for days holds at most, of what every group has committed. Default 256 MiB. */
  readonly largestTopicBytes?: number;
  /** Days after which a group that nobody joined is not waited for. Default 30. */
  readonly forgetGroupsAfterDays?: number;
}

interface Dropped {
  events: number;
  bytes: number;
}

interface Place {
  position: number;
  bytes: number;
}

interface Row extends Place {
  published_at: number;
  key: string;
}

/** How far a compacted lane was looked through, and the last event of each key up to there. */
interface Compaction {
  cursor: number;
  readonly last: Map<string, Place>;
}

export class Retention {
  readonly #largestTopicBytes: number;
  readonly #forgetAfterMs: number;
  readonly #compactions = new Map<Lane, Compaction>();
  readonly #rows: StatementSync;
  readonly #floor: StatementSync;
  readonly #deleteRange: StatementSync;
  readonly #delete: StatementSync;
  #stopped = false;

  constructor(
    readonly store: Store,
    readonly log: Log,
    readonly clock: () => number,
    readonly report: Report,
    { largestTopicBytes = 256 * 1024 * 1024, forgetGroupsAfterDays = 30 }: RetentionOptions,
  ) {
    this.#largestTopicBytes = largestTopicBytes;
    this.#forgetAfterMs = forgetGroupsAfterDays * dayMs;
    this.#rows = store.prepare(
      'SELECT position, bytes, published_at, key FROM bus_log WHERE position >= ? AND position < ? ORDER BY position LIMIT ?',
    );
    this.#floor = store.prepare(
      `SELECT min(committed) AS floor FROM bus_offsets JOIN bus_groups USING (group_name)
       WHERE lane = ? AND seen_at >= ?`,
    );
    this.#deleteRange = store.prepare('DELETE FROM bus_log WHERE position >= ? AND position <= ?');
    this.#delete = store.prepare('DELETE FROM bus_log WHERE position = ?');
  }

  /** Drops all that may go, step by step; resolves with the number of events dropped. */
  async round(): Promise<number> {
    let events = 0;
    for (const topic of this.log.topics.values()) {
      for (const lane of topic.lanes) {
        const dropped = await this.#lane(topic, lane);
        const { partition } = lane;
        if (dropped.events > 0) this.report({ kind: 'dropped', topic: topic.name, partition, ...dropped });
        events += dropped.events;
      }
    }
    return events;
  }

  /** A round that runs ends with its present step. */
  stop(): void {
    this.#stopped = true;
  }

  /** What every known group has committed in a lane; asked at each step, since a group may join between two. */
  #committedByAll(lane: Lane): number {
    const row = this.#floor.get(lane.number, Math.round(this.clock() - this.#forgetAfterMs));
    return Math.min(Number(row?.floor ?? lane.next), lane.next);
  }

  async #lane(topic: Topic, lane: Lane): Promise<Dropped> {
    const sum = { events: 0, bytes: 0 };
    for (let more = true; more && !this.#stopped; ) {
      const floor = this.#committedByAll(lane);
      const step = topic.keep === 'compact' ? this.#compact(lane, floor) : this.#expire(topic, lane, floor);
      sum.events += step.events;
      sum.bytes += step.bytes;
      lane.bytes -= step.bytes;
      more = step.more;
      if (more) await turn();
    }
    return sum;
  }

  #expire(topic: Topic, lane: Lane, floor: number): Dropped & { more: boolean } {
    const end = lane.position(Math.min(floor, lane.next - 1));
    const rows = this.#select(lane.position(0), end);
    const horizon = this.clock() - Number.parseFloat(topic.keep) * dayMs;
    const excess = lane.bytes - this.#largestTopicBytes / topic.partitions;
    let [events, bytes] = [0, 0];
    for (const row of rows) {
      if (bytes >= stepBytes || (row.published_at >= horizon && bytes >= excess)) break;
      events++;
      bytes += row.bytes;
    }
    if (events > 0) {
      this.store.transaction(() => this.#deleteRange.run(rows[0].position, rows[events - 1].position));
    }
    return { events, bytes, more: events === rows.length ? rows.length === stepEvents : bytes >= stepBytes };
  }

  /** Looks only at what all groups committed, so that what it supersedes is committed too. */
  #compact(lane: Lane, floor: number): Dropped & { more: boolean } {
    const compaction = this.#compactions.get(lane) ?? { cursor: lane.position(0), last: new Map() };
    this.#compactions.set(lane, compaction);
    const rows = this.#select(compaction.cursor, Math.min(lane.position(floor), laneEnd(lane)));
    const superseded: Place[] = [];
    for (const row of rows) {
      const before = compaction.last.get(row.key);
      if (before) superseded.push(before);
      compaction.last.set(row.key, { position: row.position, bytes: row.bytes });
      compaction.cursor = row.position + 1;
    }
    if (superseded.length > 0) this.#drop(lane, superseded);
    const bytes = superseded.reduce((sum, place) => sum + place.bytes, 0);
    return { events: superseded.length, bytes, more: rows.length === stepEvents };
  }

  /** A lane whose deletion failed is looked through again from its beginning. */
  #drop(lane: Lane, superseded: readonly Place[]): void {
    try {
      this.store.transaction(() => {
        for (const { position } of superseded) this.#delete.run(position);
      });
    } catch (error) {
      this.#compactions.delete(lane);
      throw error;
    }
  }

  #select(from: number, end: number): Row[] {
    return this.#rows.all(from, end, stepEvents) as unknown as Row[];
  }
}
