/**
 * The log: events of each partition in offset order, on disk, with the newest ones in memory.
 *
 * I1  A lane is one partition of one topic. Its next offset is known in memory and moves only after the commit.
 * I2  The tail holds what some reader has still to hear and was published by this process, within its bounds; what it
 *     does not hold is read from disk. So a caught-up group never rereads SQLite, and the JSON is parsed once.
 * I3  The last event of a lane is never dropped, so that the next offset outlives every retention.
 */
import type { StatementSync } from 'node:sqlite';
import { entityBucket } from '@driftloop/contracts';
import type { HeardEvent, OutgoingEvent, TopicOptions } from '../bus.js';
import { errors } from '../errors.js';
import { laneSize, type Store } from './store.js';

const tailBytes = 4 * 1024 * 1024;
const batchEvents = 256;
const batchBytes = 4 * 1024 * 1024;

/** An event as it lies in the log; `data` is parsed at first sight and shared by everyone who hears it. */
export class LoggedEvent {
  #data: unknown;
  #parsed = false;
  constructor(
    readonly event: Omit<OutgoingEvent, 'data'>,
    readonly partition: number,
    readonly offset: number,
    readonly json: string,
  ) {}

  heard(attempt: number): HeardEvent {
    if (!this.#parsed) this.#data = JSON.parse(this.json);
    this.#parsed = true;
    const { id, topic, key, time, source, traceparent } = this.event;
    const { partition, offset } = this;
    return { id, topic, key, time, source, traceparent, data: this.#data, partition, offset, attempt };
  }
}

/** One partition of one topic. */
export class Lane {
  next = 0;
  /** Bytes of JSON retained. */
  bytes = 0;
  readonly #tail = new Map<number, LoggedEvent>();
  #tailBytes = 0;
  #first = 0;
  /** Whoever hears this lane: where they are, and how to wake them. */
  readonly readers = new Set<{ readonly position: number; wake(): void }>();

  constructor(
    readonly number: number,
    readonly topic: string,
    readonly partition: number,
  ) {}

  /** The row number of an offset. */
  position(offset: number): number {
    return this.number * laneSize + offset;
  }

  inTail(offset: number): LoggedEvent | undefined {
    return this.#tail.get(offset);
  }

  /** Takes in an event that is durable now. */
  accept(event: LoggedEvent): void {
    this.next = event.offset + 1;
    if (this.readers.size === 0) return;
    if (this.#tail.size === 0) this.#first = event.offset;
    this.#tail.set(event.offset, event);
    this.#tailBytes += event.json.length;
    while (this.#tailBytes > tailBytes) this.#forgetFirst();
  }

  /** Forgets what every reader has heard. */
  trim(): void {
    let heard = this.next;
    for (const reader of this.readers) heard = Math.min(heard, reader.position);
    while (this.#tail.size > 0 && this.#first < heard) this.#forgetFirst();
  }

  #forgetFirst(): void {
    this.#tailBytes -= this.#tail.get(this.#first)?.json.length ?? 0;
    this.#tail.delete(this.#first++);
  }
}

/** The row number after a lane's last possible one. */
export function laneEnd(lane: Lane): number {
  return (lane.number + 1) * laneSize;
}

interface Row {
  position: number;
  id: string;
  key: string;
  time: number;
  source: string;
  traceparent: string | null;
  data: string;
}

/** A topic with its lanes. */
export interface Topic extends TopicOptions {
  readonly name: string;
  readonly lanes: readonly Lane[];
}

/** An event checked and placed, ready to be appended. */
export interface PlacedEvent {
  readonly event: OutgoingEvent;
  readonly topic: Topic;
  readonly lane: Lane;
  readonly json: string;
  readonly bytes: number;
}

export class Log {
  readonly topics = new Map<string, Topic>();
  readonly #insert: StatementSync;
  readonly #select: StatementSync;

  constructor(readonly store: Store) {
    this.#insert = store.prepare(
      `INSERT INTO bus_log (position, published_at, bytes, id, key, time, source, traceparent, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#select = store.prepare(
      `SELECT position, id, key, time, source, traceparent, data FROM bus_log
       WHERE position >= ? AND position < ? ORDER BY position LIMIT ?`,
    );
    const rows = store.prepare('SELECT topic, partitions, keep FROM bus_topics').all();
    for (const row of rows)
      this.#load(String(row.topic), { partitions: Number(row.partitions), keep: row.keep as '1d' });
  }

  /** The topic of a name. Throws BUS_TOPIC_UNKNOWN. */
  topic(name: string): Topic {
    const topic = this.topics.get(name);
    if (!topic) throw errors.BUS_TOPIC_UNKNOWN({ topic: name });
    return topic;
  }

  /** Makes a topic exist. Throws BUS_TOPIC_CONFLICT when it has another number of partitions. */
  declare(name: string, options: TopicOptions): void {
    const known = this.topics.get(name);
    if (known && known.partitions !== options.partitions) {
      throw errors.BUS_TOPIC_CONFLICT({ topic: name, expected: options.partitions, found: known.partitions });
    }
    if (known?.keep === options.keep) return;
    this.store.transaction(() => {
      this.store
        .prepare('INSERT INTO bus_topics VALUES (?, ?, ?) ON CONFLICT (topic) DO UPDATE SET keep = excluded.keep')
        .run(name, options.partitions, options.keep);
      const lane = this.store.prepare('INSERT OR IGNORE INTO bus_lanes (topic, partition) VALUES (?, ?)');
      for (let partition = 0; partition < options.partitions; partition++) lane.run(name, partition);
    });
    if (known) this.topics.set(name, { ...known, keep: options.keep });
    else this.#load(name, options);
  }

  /** The partition of an event, by its key. */
  place(event: OutgoingEvent, json: string): PlacedEvent {
    const topic = this.topic(event.topic);
    const lane = topic.lanes[entityBucket(event.key, topic.partitions)];
    return { event, topic, lane, json, bytes: Buffer.byteLength(json) };
  }

  /** Writes events, inside a transaction. What it returns is for `accept`, after the commit (I1). */
  append(placed: readonly PlacedEvent[], publishedAt: number): LoggedEvent[] {
    const next = new Map<Lane, number>();
    return placed.map(({ event, lane, json, bytes }) => {
      const offset = next.get(lane) ?? lane.next;
      next.set(lane, offset + 1);
      const { id, key, time, source, traceparent, topic } = event;
      this.#insert.run(lane.position(offset), publishedAt, bytes, id, key, time, source, traceparent ?? null, json);
      return new LoggedEvent({ id, key, time, source, traceparent, topic }, lane.partition, offset, json);
    });
  }

  /** Makes appended events known, after the commit. */
  accept(placed: readonly PlacedEvent[], logged: readonly LoggedEvent[]): void {
    placed.forEach(({ lane, bytes }, i) => {
      lane.accept(logged[i]);
      lane.bytes += bytes;
    });
    for (const lane of new Set(placed.map((p) => p.lane))) for (const reader of lane.readers) reader.wake();
  }

  /** Retained events of a lane from an offset on: at most `limit`, and some 4 MiB. */
  read(lane: Lane, from: number, limit = batchEvents): LoggedEvent[] {
    const found: LoggedEvent[] = [];
    let bytes = 0;
    const end = laneEnd(lane);
    for (const raw of this.#select.iterate(lane.position(from), end, limit)) {
      const event = this.#logged(lane, raw as unknown as Row);
      found.push(event);
      bytes += event.json.length;
      if (bytes > batchBytes) break;
    }
    return found;
  }

  /** The first retained offset of a lane; the next one to come where it is empty. */
  first(lane: Lane): number {
    return this.read(lane, 0, 1)[0]?.offset ?? lane.next;
  }

  #logged(lane: Lane, row: Row): LoggedEvent {
    const { id, key, time, source, data } = row;
    const event = { id, key, time, source, topic: lane.topic, traceparent: row.traceparent ?? undefined };
    return new LoggedEvent(event, lane.partition, row.position - lane.number * laneSize, data);
  }

  #load(name: string, options: TopicOptions): void {
    const end = this.store.prepare(
      'SELECT max(position) AS last, total(bytes) AS bytes FROM bus_log WHERE position >= ? AND position < ?',
    );
    const rows = this.store
      .prepare('SELECT lane, partition FROM bus_lanes WHERE topic = ? ORDER BY partition')
      .all(name);
    const lanes = rows.map((row) => {
      const lane = new Lane(Number(row.lane), name, Number(row.partition));
      const found = end.get(lane.position(0), lane.position(laneSize)) as { last: number | null; bytes: number };
      if (found.last !== null) lane.next = found.last - lane.position(0) + 1;
      lane.bytes = found.bytes;
      return lane;
    });
    this.topics.set(name, { name, ...options, lanes });
  }
}
