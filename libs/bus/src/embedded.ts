/**
 * The embedded bus: the contract of bus.ts as a durable log in node:sqlite, in one process.
 *
 * The SQLite handle is shared with the documents and belongs to whoever opened it, who sets WAL and synchronous=NORMAL
 * and closes it after the bus. So the promise is the death of the process, not of the machine.
 *
 * I1  Each call that writes is one short synchronous transaction; none is open across an await.
 * I2  Whoever publishes because of an event does so, or holds the bus, before its handler resolves: then `settled`
 *     knows the whole chain.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as pass } from 'node:timers/promises';
import type { Subscription, SubscriptionOptions, TopicOptions } from './bus.js';
import { Bus, type DeadLetter, type GroupLag, type HeardEvent, mostLetters, type OutgoingEvent } from './bus.js';
import { checkTopic, jsonOf } from './checks.js';
import { DeadLetters } from './embedded/dead-letters.js';
import { Group, type Member } from './embedded/group.js';
import { Log } from './embedded/log.js';
import { Offsets } from './embedded/offsets.js';
import type { Ground } from './embedded/reader.js';
import { Retention, type RetentionOptions } from './embedded/retention.js';
import { Stillness } from './embedded/stillness.js';
import { Store } from './embedded/store.js';
import { errors } from './errors.js';
import { type Incident, reporter } from './incident.js';
import { busPoints } from './points.js';

/** Retention goes round at least once in so many bytes published. */
const bytesARound = 16 * 1024 * 1024;
/** How often `settled` looks whether somebody has come. */
const attendedMs = 20;

export interface EmbeddedBusOptions {
  /** Wall time in epoch ms, for retention alone. */
  readonly clock?: () => number;
  /** The first delay after a retriable error; it doubles from there. Default 100 ms. */
  readonly retryDelayMs?: number;
  /** Where doubling ends. Default 30 s. */
  readonly longestRetryDelayMs?: number;
  readonly retention?: RetentionOptions;
  /** Told of pauses, resumptions, dead letters and what retention dropped. */
  readonly report?: (incident: Incident) => void;
}

export class EmbeddedBus extends Bus {
  readonly #store: Store;
  readonly #clock: () => number;
  readonly #ground: Ground;
  readonly #groups = new Map<string, Group>();
  readonly #retention: Retention;
  readonly #timer: NodeJS.Timeout;
  #bytesSinceRound = 0;
  #round: Promise<number> | undefined;
  #closing: Promise<void> | undefined;
  #closed = false;

  private constructor(db: DatabaseSync, options: EmbeddedBusOptions) {
    super();
    this.#store = new Store(db);
    this.#clock = options.clock ?? Date.now;
    const stillness = new Stillness(() => offsets.flush());
    const offsets = new Offsets(this.#store, this.#clock, () => stillness.check());
    const { retryDelayMs = 100, longestRetryDelayMs = 30_000 } = options;
    const report = reporter(options.report);
    const parts = { log: new Log(this.#store), offsets, letters: new DeadLetters(this.#store), stillness };
    const outside = AsyncLocalStorage.snapshot();
    this.#ground = { ...parts, retryDelayMs, longestRetryDelayMs, report, outside };
    const retention = options.retention ?? {};
    this.#retention = new Retention(this.#store, parts.log, this.#clock, report, retention);
    this.#timer = setInterval(() => this.#pruneSoon(), retention.everyMs ?? 60_000).unref();
  }

  /** Opens the bus in a SQLite file; makes its tables (`bus_…`) where they are not. */
  static open(db: DatabaseSync, options: EmbeddedBusOptions = {}): EmbeddedBus {
    return new EmbeddedBus(db, options);
  }

  /** Throws BUS_TOPIC_INVALID, or BUS_TOPIC_CONFLICT when the topic has another number of partitions. */
  async declare(topic: string, options: TopicOptions): Promise<void> {
    checkTopic(topic, options);
    await this.#turn();
    this.#ground.log.declare(topic, options);
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    const { log, offsets } = this.#ground;
    const placed = events.map((event) => log.place(event, jsonOf(event)));
    if (placed.length === 0) return;
    if (this.#closed || this.#store.taken) await this.#turn();
    busPoints.beforePublish.publish(events[0].topic);
    const logged = this.#store.transaction(() => {
      offsets.write();
      return log.append(placed, Math.round(this.#clock()));
    });
    busPoints.afterPublish.publish(events[0].topic);
    offsets.clean();
    log.accept(placed, logged);
    for (const { bytes } of placed) this.#bytesSinceRound += bytes;
    if (this.#bytesSinceRound > bytesARound) this.#pruneSoon();
  }

  /** Throws BUS_TOPIC_UNKNOWN for a topic that is not declared. `close` must not be awaited inside `handle`. */
  async subscribe(options: SubscriptionOptions): Promise<Subscription> {
    await this.#turn();
    if (this.#closing) throw errors.BUS_UNAVAILABLE({ reason: 'it is closing' });
    const member: Member = { topics: [...new Set(options.topics)], handle: options.handle };
    const group = this.#groups.get(options.group) ?? new Group(options.group, this.#ground);
    group.join(member, options.from);
    this.#groups.set(options.group, group);
    const close = async () => {
      await group.leave(member);
      this.#ground.offsets.flush();
    };
    return { close };
  }

  async read(topic: string, partition: number, fromOffset: number, limit: number): Promise<HeardEvent[]> {
    const lane = this.#ground.log.topic(topic).lanes[partition];
    if (!lane) throw errors.BUS_TOPIC_INVALID({ topic, path: 'partition', expected: 'one that the topic has' });
    this.#checkOpen();
    const { log } = this.#ground;
    return this.#store.reading(() => log.read(lane, Math.max(0, fromOffset), limit).map((event) => event.heard(1)));
  }

  async ends(topic: string): Promise<number[]> {
    return this.#ground.log.topic(topic).lanes.map((lane) => lane.next);
  }

  async dead(group: string, limit = 100): Promise<DeadLetter[]> {
    this.#checkOpen();
    return this.#store.reading(() => this.#ground.letters.list(group, limit));
  }

  async countDead(group: string, limit = mostLetters): Promise<number> {
    this.#checkOpen();
    return this.#store.reading(() => this.#ground.letters.count(group, limit));
  }

  /** The letters are the group's again when this resolves; they are heard by the next member where there is none now. */
  async replayDead(group: string, ids?: readonly string[]): Promise<string[]> {
    await this.#turn();
    const given = this.#ground.letters.giveBack(group, ids);
    for (const reader of this.#groups.get(group)?.readers.values() ?? []) reader.reloadReplays();
    return given;
  }

  async discardDead(group: string, ids?: readonly string[]): Promise<string[]> {
    await this.#turn();
    return this.#ground.letters.discard(group, ids);
  }

  async lag(): Promise<GroupLag[]> {
    this.#checkOpen();
    const lanes = [...this.#ground.log.topics.values()].flatMap((topic) => topic.lanes);
    const byNumber = new Map(lanes.map((lane) => [lane.number, lane]));
    return this.#store
      .reading(() => this.#ground.offsets.known())
      .flatMap(({ group, lane: number, committed }) => {
        const lane = byNumber.get(number);
        if (!lane) return [];
        const reader = this.#groups.get(group)?.readers.get(lane);
        const { topic, partition } = lane;
        const paused = reader?.paused;
        return [{ group, topic, partition, lag: reader?.lag ?? lane.next - committed, ...(paused && { paused }) }];
      });
  }

  hold(reason: string): { release(): void } {
    return this.#ground.stillness.hold(reason);
  }

  /** Rejects with BUS_UNAVAILABLE when the bus is closed before it is settled. */
  async settled(attended: readonly string[] = []): Promise<void> {
    this.#checkOpen();
    while (!this.#isAttended(attended)) {
      await pass(attendedMs, undefined, { ref: false });
      this.#checkOpen();
    }
    return this.#ground.stillness.settled();
  }

  #isAttended(attended: readonly string[]): boolean {
    const alive = [...this.#groups.values()].filter((group) => group.alive);
    return attended.every((beginning) => alive.some((group) => group.name.startsWith(beginning)));
  }

  /** What `settled` waits for now: holders' reasons, and the partitions that are behind. */
  async awaited(): Promise<string[]> {
    const behind = (await this.lag()).filter((l) => l.lag > 0 && this.#groups.get(l.group)?.alive);
    const words = behind.map(
      (l) => `${l.group} ${l.topic}/${l.partition}: ${l.lag} behind${l.paused ? `, ${l.paused}` : ''}`,
    );
    return [...this.#ground.stillness.reasons, ...words];
  }

  /** Goes round retention now; resolves with the number of events dropped. It also goes by itself. */
  async prune(): Promise<number> {
    await this.#turn();
    this.#ground.offsets.flush();
    this.#bytesSinceRound = 0;
    this.#round ??= this.#goRound().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Running handlers end, and may still publish; then what they handled is committed. The SQLite file stays open. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    this.#retention.stop();
    await Promise.all([...this.#groups.values()].map((group) => group.stop()));
    await this.#round?.catch(() => {});
    this.#ground.offsets.flush();
    this.#ground.offsets.close();
    this.#closed = true;
    this.#ground.stillness.abandon(errors.BUS_UNAVAILABLE({ reason: 'it is closed' }));
  }

  async #goRound(): Promise<number> {
    this.#ground.offsets.see([...this.#groups.values()].filter((group) => group.alive).map((group) => group.name));
    return this.#retention.round();
  }

  /** A round that cannot go now goes the next time. */
  #pruneSoon(): void {
    void this.prune().catch(() => {});
  }

  async #turn(): Promise<void> {
    this.#checkOpen();
    await this.#store.turn();
  }

  #checkOpen(): void {
    if (this.#closed) throw errors.BUS_UNAVAILABLE({ reason: 'it is closed' });
  }
}
