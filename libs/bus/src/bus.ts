/**
 * The bus port: a durable, partitioned log of facts with consumer groups, in the terms of Kafka.
 *
 * I1  `publish` resolves when every event is durable; it keeps the order of its argument per key.
 * I2  A key always lands on the same partition; within a partition, offsets rise without gaps from 0 (compaction and
 *     retention drop events later, and leave gaps where they were).
 * I3  A group hears each partition in offset order, one event at a time; partitions go side by side.
 * I4  An offset is committed after its handler resolved: at least once, never lost. A restart resumes there.
 * I5  A handler that throws a retriable error pauses its partition and is called again after a backoff, without end;
 *     other partitions and groups go on. Nothing is dead-lettered for a dependency that is away.
 * I6  A handler that throws anything else has found a poison event: it goes to `<group>.dead` with the error, and the
 *     partition goes on with the next. Given back (`replayDead`), it comes to that group alone, on a lane of its own:
 *     `partition` is −1−p and the offsets of that lane rise with each replay, so that an accumulator which remembers
 *     the offsets it applied in partition p takes it all the same, once.
 * I7  A new group starts at the earliest retained event, unless it says `latest`.
 * I8  `settled` resolves when every group that has a member has committed everything published so far, including what
 *     its handlers published meanwhile, and nobody holds the bus (`hold`). A handler that runs and a partition that is
 *     paused are not settled. Whoever will publish later because of an event holds the bus before its handler resolves.
 *     A group that must have a member (`attended`) and has none, as its process is away, is not settled either.
 * I9  What `data` a handler gets is shared with the other groups: it is read, never changed.
 */

/** One fact on its way out. */
export interface OutgoingEvent {
  /** Deterministic: a re-emission has the same id. */
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  /** Event time, epoch ms. */
  readonly time: number;
  /** CloudEvents source: the speaking service. */
  readonly source: string;
  /** proto3 JSON of the payload. */
  readonly data: unknown;
  readonly traceparent?: string;
}

/** One fact as a group hears it. */
export interface HeardEvent extends OutgoingEvent {
  /** From 0 on; −1−p for a dead letter of partition p that was given back (I6). */
  readonly partition: number;
  readonly offset: number;
  /** 1 at first; higher when the handler is called again in this process. */
  readonly attempt: number;
}

export interface TopicOptions {
  readonly partitions: number;
  /** Days of wall time, or `compact`: the last event of each key stays. */
  readonly keep: `${number}d` | 'compact';
}

export interface SubscriptionOptions {
  /** The consumer group; its members share the partitions. */
  readonly group: string;
  readonly topics: readonly string[];
  readonly from?: 'earliest' | 'latest';
  readonly handle: (event: HeardEvent) => Promise<void>;
}

export interface Subscription {
  /** Stops hearing; resolves when no handler runs and everything handled is committed. Not to be awaited by a handler. */
  close(): Promise<void>;
}

/** So many dead letters a call lists, counts, gives back or discards at most: there may be more than a process can hold. */
export const mostLetters = 10_000;

/** A poison event with what went wrong. */
export interface DeadLetter extends HeardEvent {
  readonly group: string;
  readonly error: { readonly name: string; readonly message: string; readonly code?: string };
}

export interface GroupLag {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
  /** Events published and not yet committed by the group. */
  readonly lag: number;
  /** Whether the partition is paused for a dependency that is away, and why. */
  readonly paused?: string;
  /** True for a group that never had a member on a bus: a product team's, which hears with a client of its own. */
  readonly foreign?: true;
}

/** An abstract class, so that it is its own injection token. */
export abstract class Bus {
  /** Makes a topic exist; again is no error, BUS_TOPIC_CONFLICT with other partitions is. */
  abstract declare(topic: string, options: TopicOptions): Promise<void>;
  /**
   * Makes events durable, all or none. Throws BUS_UNAVAILABLE (retriable), BUS_TOPIC_UNKNOWN, BUS_EVENT_INVALID or
   * BUS_EVENT_TOO_LARGE (over 1 MiB of JSON).
   */
  abstract publish(events: readonly OutgoingEvent[]): Promise<void>;
  /** Throws BUS_TOPIC_UNKNOWN for a topic that is not declared. */
  abstract subscribe(options: SubscriptionOptions): Promise<Subscription>;
  /** Reads retained events of a topic from an offset of each partition on, without a group: for tails and tools. */
  abstract read(topic: string, partition: number, fromOffset: number, limit: number): Promise<HeardEvent[]>;
  /** The next offset of each partition of a topic: where a reader of `latest` begins. */
  abstract ends(topic: string): Promise<number[]>;
  /** The dead letters of a group, oldest first: 100, or `limit`, never more than `mostLetters`. */
  abstract dead(group: string, limit?: number): Promise<DeadLetter[]>;
  /** How many dead letters a group has, counted up to `limit`, never further than `mostLetters`. Cheap when asked often. */
  abstract countDead(group: string, limit?: number): Promise<number>;
  /**
   * Gives dead letters back to their group alone (I6): those with these ids, or its oldest, `mostLetters` at most. Resolves,
   * when that is durable, with the ids, one a letter: ids are the senders', and who names one means every letter that has
   * it. Throws BUS_DEAD_LETTER_UNKNOWN where one is not there: then none is given back.
   */
  abstract replayDead(group: string, ids?: readonly string[]): Promise<string[]>;
  /** Throws dead letters away, for good; which, how many and what it resolves with and throws as `replayDead`. */
  abstract discardDead(group: string, ids?: readonly string[]): Promise<string[]>;
  /** Of every known group, whether it has a member or not; groups of others at the same topics are `foreign`. */
  abstract lag(): Promise<GroupLag[]>;
  /** Announces work that will publish (an outbox that is not empty, a buffer): `settled` waits until it is released. */
  abstract hold(reason: string): { release(): void };
  /** See I8; `attended` are beginnings of group names. Rejects with BUS_UNAVAILABLE when the bus is closed first. */
  abstract settled(attended?: readonly string[]): Promise<void>;
  /** Running handlers end, and what they handled is committed; afterwards every call throws BUS_UNAVAILABLE. */
  abstract close(): Promise<void>;
}
