/**
 * Dead letters of each group, and those given back to it.
 *
 * I1  Burying an event and moving past it is one transaction; so is giving it back, or burying it again.
 * I2  A letter is told by the place of its event: ids are the senders', and two may give the same. Who names an id means
 *     every letter that has it.
 * I3  A letter given back comes on a lane of its own, partition −1−p, with an offset that rises with every replay: an
 *     accumulator that remembers the offsets it applied in p takes it once, though its own offset lies behind.
 */
import type { StatementSync } from 'node:sqlite';
import { type DeadLetter, mostLetters } from '../bus.js';
import { errors } from '../errors.js';
import { LoggedEvent } from './log.js';
import type { Store } from './store.js';

type Failure = DeadLetter['error'];

interface Row {
  seq: number;
  id: string;
  topic: string;
  partition: number;
  offset: number;
  key: string;
  time: number;
  source: string;
  traceparent: string | null;
  attempt: number;
  error: string;
  data: string;
}

const columns = 'group_name, id, topic, partition, offset, key, time, source, traceparent, attempt, error, data';

/** A letter given back: an event on its replay lane. */
export class Replay extends LoggedEvent {
  constructor(readonly row: Row) {
    const { id, topic, key, time, source } = row;
    const event = { id, topic, key, time, source, traceparent: row.traceparent ?? undefined };
    super(event, -1 - row.partition, row.seq, row.data);
  }
}

export class DeadLetters {
  readonly #bury: StatementSync;
  readonly #list: StatementSync;
  readonly #count: StatementSync;
  readonly #oldest: StatementSync;
  readonly #named: StatementSync;
  readonly #giveBack: StatementSync;
  readonly #remove: StatementSync;
  readonly #given: StatementSync;
  readonly #done: StatementSync;

  constructor(readonly store: Store) {
    this.#bury = store.prepare(
      `INSERT INTO bus_dead (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (group_name, topic, partition, offset) DO UPDATE SET error = excluded.error`,
    );
    this.#list = store.prepare(`SELECT seq, ${columns} FROM bus_dead WHERE group_name = ? ORDER BY seq LIMIT ?`);
    this.#count = store.prepare('SELECT count(*) AS n FROM (SELECT 1 FROM bus_dead WHERE group_name = ? LIMIT ?)');
    this.#oldest = store.prepare('SELECT seq, id FROM bus_dead WHERE group_name = ? ORDER BY seq LIMIT ?');
    this.#named = store.prepare('SELECT seq, id FROM bus_dead WHERE group_name = ? AND id = ? ORDER BY seq');
    this.#giveBack = store.prepare(
      `INSERT INTO bus_replays (${columns}) SELECT ${columns} FROM bus_dead WHERE seq = ?
       ON CONFLICT (group_name, topic, partition, offset) DO NOTHING`,
    );
    this.#remove = store.prepare('DELETE FROM bus_dead WHERE seq = ?');
    this.#given = store.prepare(
      `SELECT seq, ${columns} FROM bus_replays WHERE group_name = ? AND topic = ? AND partition = ? ORDER BY seq`,
    );
    this.#done = store.prepare('DELETE FROM bus_replays WHERE seq = ?');
  }

  /** Keeps an event that its group cannot handle, inside a transaction. */
  bury(group: string, event: LoggedEvent, attempt: number, failure: Failure): void {
    const replay = event instanceof Replay ? event.row : undefined;
    const { id, topic, key, time, source, traceparent } = event.event;
    const partition = replay?.partition ?? event.partition;
    const offset = replay?.offset ?? event.offset;
    const error = JSON.stringify(failure);
    this.#bury.run(
      ...[group, id, topic, partition, offset, key, time, source, traceparent ?? null, attempt, error, event.json],
    );
    if (replay) this.#done.run(replay.seq);
  }

  /** A group's dead letters, oldest first. */
  list(group: string, limit: number): DeadLetter[] {
    return (this.#list.all(group, Math.min(limit, mostLetters)) as unknown as Row[]).map((row) => {
      const { id, topic, key, time, source, partition, offset } = row;
      const event = { id, topic, key, time, source, traceparent: row.traceparent ?? undefined };
      const heard = new LoggedEvent(event, partition, offset, row.data).heard(row.attempt);
      return { ...heard, group, error: JSON.parse(row.error) as Failure };
    });
  }

  /** How many there are, counted up to `limit`. */
  count(group: string, limit: number): number {
    return Number(this.#count.get(group, Math.min(limit, mostLetters))!.n);
  }

  /** Gives back the letters named, or the oldest, durably; returns their ids. Throws BUS_DEAD_LETTER_UNKNOWN: then none is. */
  giveBack(group: string, ids?: readonly string[]): string[] {
    return this.#removeEach(group, ids, (seq) => void this.#giveBack.run(seq));
  }

  /** Removes the letters named, or the oldest, durably; returns their ids. Throws BUS_DEAD_LETTER_UNKNOWN: then none is removed. */
  discard(group: string, ids?: readonly string[]): string[] {
    return this.#removeEach(group, ids, () => undefined);
  }

  #removeEach(group: string, ids: readonly string[] | undefined, before: (seq: number) => void): string[] {
    return this.store.transaction(() => {
      const found = ids ? [...new Set(ids)].flatMap((id) => this.#lettersOf(group, id)) : this.#oldestOf(group);
      for (const { seq } of found) {
        before(seq);
        this.#remove.run(seq);
      }
      return found.map(({ id }) => id);
    });
  }

  #oldestOf(group: string): Pick<Row, 'seq' | 'id'>[] {
    return this.#oldest.all(group, mostLetters) as unknown as Row[];
  }

  #lettersOf(group: string, id: string): Pick<Row, 'seq' | 'id'>[] {
    const letters = this.#named.all(group, id) as unknown as Row[];
    if (letters.length === 0) throw errors.BUS_DEAD_LETTER_UNKNOWN({ group, id });
    return letters;
  }

  /** Letters given back to a group that it has not heard yet. */
  given(group: string, topic: string, partition: number): Replay[] {
    return (this.#given.all(group, topic, partition) as unknown as Row[]).map((row) => new Replay(row));
  }

  /** A letter given back has been handled. */
  done(replay: Replay): void {
    this.store.transaction(() => this.#done.run(replay.row.seq));
  }
}
