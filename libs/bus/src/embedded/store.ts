/**
 * The embedded bus's tables in a SQLite file that it shares with the documents.
 *
 * I1  A row of the log is found by one integer, `lane * 2^40 + offset`: partitions lie side by side in one b-tree, in
 *     offset order, without a second index. The view `bus_events` spells it out for people.
 * I2  The handle has another user. A transaction of ours begins and ends within one synchronous call, and never inside
 *     one of theirs: their rollback could take back what we called durable.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LoopError } from '@driftloop/contracts';
import { errors } from '../errors.js';

/** Offsets of one partition end here. */
export const laneSize = 2 ** 40;

const letterColumns = `seq INTEGER PRIMARY KEY AUTOINCREMENT, group_name TEXT NOT NULL, id TEXT NOT NULL,
  topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, key TEXT NOT NULL, time NUMERIC NOT NULL,
  source TEXT NOT NULL, traceparent TEXT, attempt INTEGER NOT NULL, error TEXT NOT NULL, data TEXT NOT NULL,
  UNIQUE (group_name, topic, partition, offset)`;

const schema = `
CREATE TABLE IF NOT EXISTS bus_topics (topic TEXT PRIMARY KEY, partitions INTEGER NOT NULL, keep TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS bus_lanes (
  lane INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, UNIQUE (topic, partition)) STRICT;
CREATE TABLE IF NOT EXISTS bus_log (
  position INTEGER PRIMARY KEY, published_at INTEGER NOT NULL, bytes INTEGER NOT NULL, id TEXT NOT NULL,
  key TEXT NOT NULL, time NUMERIC NOT NULL, source TEXT NOT NULL, traceparent TEXT, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS bus_groups (group_name TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS bus_offsets (
  group_name TEXT NOT NULL, lane INTEGER NOT NULL, committed INTEGER NOT NULL,
  PRIMARY KEY (group_name, lane)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bus_dead (${letterColumns});
CREATE INDEX IF NOT EXISTS bus_dead_by_id ON bus_dead (group_name, id);
CREATE TABLE IF NOT EXISTS bus_replays (${letterColumns});
CREATE VIEW IF NOT EXISTS bus_events AS
  SELECT topic, partition, position & ${laneSize - 1} AS offset, id, key, time, source, traceparent, published_at, data
  FROM bus_log JOIN bus_lanes ON lane = position >> 40;
`;

/** The shared handle with its transactions. */
export class Store {
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;

  constructor(readonly db: DatabaseSync) {
    db.exec(schema);
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#commit = db.prepare('COMMIT');
  }

  prepare(sql: string): StatementSync {
    return this.db.prepare(sql);
  }

  /** Runs synchronous work in one transaction (I2). Throws BUS_UNAVAILABLE when SQLite cannot. */
  transaction<T>(work: () => T): T {
    if (!this.db.isOpen) throw errors.BUS_UNAVAILABLE({ reason: 'its SQLite file is closed' });
    if (this.taken) throw errors.BUS_UNAVAILABLE({ reason: 'its SQLite file is in another transaction' });
    try {
      this.#begin.run();
      const result = work();
      this.#commit.run();
      return result;
    } catch (error) {
      if (this.taken) this.db.exec('ROLLBACK');
      throw unavailable(error);
    }
  }

  /** Whether somebody else's transaction is open. */
  get taken(): boolean {
    return this.db.isOpen && this.db.isTransaction;
  }

  /** Synchronous reading, with SQLite's errors as BUS_UNAVAILABLE. */
  reading<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** Waits until nobody else's transaction is open, for at most about a second of turns of the event loop. */
  async turn(): Promise<void> {
    for (let i = 0; i < 1000 && this.taken; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** What SQLite throws, as a retriable error; anything else as it is. */
export function unavailable(error: unknown): unknown {
  if (error instanceof LoopError) return error;
  const code = (error as { code?: string })?.code;
  if (code !== 'ERR_SQLITE_ERROR' && code !== 'ERR_INVALID_STATE') return error;
  return errors.BUS_UNAVAILABLE({ reason: (error as Error).message });
}
