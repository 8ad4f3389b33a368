/**
 * One member of a group: a kafkajs consumer that fetches into lanes, and commits how far they have come.
 *
 * I1  Fetching never waits for a handler: heartbeats go on however long one runs, and partitions go side by side.
 * I2  A place is committed after its handler resolved: after 20 ms, with every `flush`, and before the member gives
 *     partitions up. A crash between repeats those events, never loses one.
 * I3  Before it joins anew (somebody came or went) the member takes no further event, waits for the handlers that run, at
 *     most `restMs`, and commits. A handler that takes longer than that may have its event handled again by another.
 * I4  A consumer that kafkajs gives up is replaced, after a while, without end.
 */
import { setTimeout as pass } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import type { Subscription, SubscriptionOptions } from '../bus.js';
import { errors } from '../errors.js';
import type { Report } from '../incident.js';
import { busPoints } from '../points.js';
import type { DeadLetters } from './dead-letters.js';
import { Lane, type LaneGround } from './lane.js';
import { assignerWith } from './revocation.js';
import type { Topics } from './topics.js';
import type { Wire } from './wire.js';

const commitMs = 20;
const reopenMs = 1000;
const fetchWaitMs = 250;
const mebibyte = 1024 * 1024;

export interface MembershipGround {
  /** A client of kafkajs: consumers of one client and one group overwrite what they know of each other's places. */
  readonly newClient: () => Kafka;
  readonly wire: Wire;
  readonly topics: Topics;
  readonly letters: DeadLetters;
  readonly report: Report;
  readonly retryDelayMs: number;
  readonly longestRetryDelayMs: number;
  /** After so long without a heartbeat a member is taken for dead, ms. */
  readonly sessionMs: number;
  /** See I3, ms; below `sessionMs`. */
  readonly restMs: number;
}

export class Membership implements Subscription {
  /** Whether the member knows its partitions and where it stands in them. */
  ready = false;
  readonly topics: readonly string[];
  private readonly lanes = new Map<string, Lane>();
  private readonly joined: Promise<void>;
  private told: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  private consumer: Consumer | undefined;
  private generation = 0;
  private timer: NodeJS.Timeout | undefined;
  private committing: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;

  private constructor(
    readonly options: SubscriptionOptions,
    private readonly deadTopic: string,
    private readonly ground: MembershipGround,
    /** Told when it has left. */
    private readonly left: (member: Membership) => void,
  ) {
    this.topics = [...new Set(options.topics)];
    this.joined = new Promise((resolve, reject) => {
      this.told = { resolve, reject };
    });
  }

  /** Resolves when the member has its place in the group. Throws BUS_TOPIC_UNKNOWN. */
  static async join(
    options: SubscriptionOptions,
    ground: MembershipGround,
    left: (member: Membership) => void,
  ): Promise<Membership> {
    for (const topic of options.topics) await ground.topics.partitions(topic);
    const dead = await ground.letters.declare(options.group);
    const member = new Membership(options, dead, ground, left);
    await member.placeNew();
    await member.open();
    await member.joined;
    return member;
  }

  get group(): string {
    return this.options.group;
  }

  /** The lanes of the partitions that this member has now. */
  get held(): readonly Lane[] {
    return [...this.lanes.values()];
  }

  /** Commits what is handled. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.committing = this.committing.then(() => this.commit());
    await this.committing;
  }

  close(): Promise<void> {
    this.closing ??= this.leave();
    return this.closing;
  }

  private async leave(): Promise<void> {
    await Promise.all(this.held.map((lane) => lane.rest()));
    await this.flush();
    await this.disconnect();
    clearTimeout(this.timer);
    this.told?.reject(errors.BUS_UNAVAILABLE({ reason: 'it is closing' }));
    this.left(this);
  }

  /** A new group's first place is durable before it hears: what comes from here on is not missed. */
  private async placeNew(): Promise<void> {
    const { wire, topics } = this.ground;
    const heard = [...this.topics, this.deadTopic].map((topic) => topics.physical(topic));
    const committed = await wire.committed(topics.physical(this.group), heard);
    const first = this.options.from === 'latest' ? await wire.ends(heard) : await wire.starts(heard);
    const places = [...first].flatMap(([topic, offsets]) =>
      offsets.flatMap((offset, partition) =>
        committed.get(topic)?.has(partition) ? [] : [{ topic, partition, offset }],
      ),
    );
    if (places.length > 0) await wire.place(topics.physical(this.group), places);
  }

  private async open(): Promise<void> {
    const { newClient, topics, sessionMs } = this.ground;
    const consumer = newClient().consumer({
      groupId: topics.physical(this.group),
      sessionTimeout: sessionMs,
      heartbeatInterval: Math.min(1000, sessionMs / 6),
      rebalanceTimeout: Math.max(60_000, sessionMs * 2),
      maxWaitTimeInMs: fetchWaitMs,
      maxBytesPerPartition: 2 * mebibyte,
      maxBytes: 8 * mebibyte,
      allowAutoTopicCreation: false,
      partitionAssigners: [assignerWith(() => this.giveUp())],
      retry: { initialRetryTime: 100, retries: 8, maxRetryTime: 2000, restartOnFailure: async () => false },
    });
    this.consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => void this.take(payload.memberAssignment));
    consumer.on(consumer.events.CRASH, ({ payload }) => void this.reopen(consumer, payload.error));
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      if (batchSize === 0) this.lanes.get(`${topic}/${partition}`)?.offer([], Number(lastOffset) + 1);
    });
    await consumer.connect();
    const heard = [...this.topics, this.deadTopic].map((topic) => topics.physical(topic));
    await consumer.subscribe({ topics: heard, fromBeginning: this.options.from !== 'latest' });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 16,
      eachBatch: (payload) => this.fetched(payload),
    });
  }

  /** I4 */
  private async reopen(consumer: Consumer, error: Error): Promise<void> {
    if (this.closing || this.consumer !== consumer) return;
    this.ready = false;
    this.ground.report({ kind: 'rejoined', group: this.group, reason: error.message });
    this.consumer = undefined;
    await consumer.disconnect().catch(() => undefined);
    await this.giveUp();
    while (!this.closing) {
      await pass(reopenMs, undefined, { ref: false });
      const opened = await this.open().then(
        () => true,
        () => false,
      );
      if (opened || this.closing) break;
    }
    if (this.closing) await this.disconnect();
  }

  private async disconnect(): Promise<void> {
    await this.consumer?.disconnect().catch(() => undefined);
  }

  private async fetched({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const end = Number(batch.lastOffset()) + 1;
    this.lanes.get(`${batch.topic}/${batch.partition}`)?.offer(batch.messages, end);
    resolveOffset(batch.lastOffset());
  }

  /** I3 */
  private async giveUp(): Promise<void> {
    this.ready = false;
    this.generation++;
    if (this.lanes.size === 0) return;
    const rest = Promise.all(this.held.map((lane) => lane.rest()));
    await Promise.race([rest, pass(this.ground.restMs, undefined, { ref: false })]);
    await this.flush();
  }

  /** The group has given this member its partitions. */
  private async take(assignment: Readonly<Record<string, readonly number[]>>): Promise<void> {
    const generation = ++this.generation;
    const parts = Object.entries(assignment).flatMap(([topic, of]) => of.map((partition) => ({ topic, partition })));
    const keys = new Set(parts.map(({ topic, partition }) => `${topic}/${partition}`));
    for (const key of this.lanes.keys()) if (!keys.has(key)) this.lanes.delete(key);
    for (const { topic, partition } of parts) this.lane(topic, partition).resume();
    while (generation === this.generation && !this.closing) {
      const standing = await this.stand(parts).catch(() => false);
      if (standing) break;
      await pass(100, undefined, { ref: false });
    }
    if (generation !== this.generation || this.closing) return;
    this.ready = true;
    this.told?.resolve();
  }

  private lane(topic: string, partition: number): Lane {
    const key = `${topic}/${partition}`;
    const found = this.lanes.get(key);
    if (found) return found;
    const logical = this.ground.topics.logical(topic)!;
    const lane = new Lane(logical, partition, logical === this.deadTopic, this.laneGround());
    this.lanes.set(key, lane);
    return lane;
  }

  private laneGround(): LaneGround {
    const { letters, report, retryDelayMs, longestRetryDelayMs } = this.ground;
    const { handle } = this.options;
    const moved = () => this.arm();
    return { group: this.group, letters, report, retryDelayMs, longestRetryDelayMs, handle, moved, hold: this.hold };
  }

  /** Tells each lane where the group had come. */
  private async stand(parts: readonly { topic: string; partition: number }[]): Promise<boolean> {
    const { wire, topics } = this.ground;
    const heard = [...new Set(parts.map(({ topic }) => topic))];
    if (heard.length === 0) return true;
    const committed = await wire.committed(topics.physical(this.group), heard);
    const starts = await wire.starts(heard);
    for (const { topic, partition } of parts) {
      const at = committed.get(topic)?.get(partition) ?? starts.get(topic)![partition];
      this.lanes.get(`${topic}/${partition}`)?.begin(at);
    }
    return true;
  }

  private readonly hold = ({ topic, partition }: Lane, held: boolean): void => {
    const which = [{ topic: this.ground.topics.physical(topic), partitions: [partition] }];
    if (held) this.consumer?.pause(which);
    else this.consumer?.resume(which);
  };

  private arm(): void {
    this.timer ??= setTimeout(() => void this.flush(), commitMs).unref();
  }

  /** Places that cannot be committed now are committed later; another member may repeat their events meanwhile. */
  private async commit(): Promise<void> {
    const placed = this.held.filter(({ committed }) => committed !== undefined);
    const places = placed
      .map((lane) => ({ lane, next: lane.next! }))
      .filter(({ lane, next }) => next > lane.committed!);
    if (places.length === 0 || !this.consumer) return;
    busPoints.beforeCommitOffset.publish(undefined);
    try {
      await this.consumer.commitOffsets(
        places.map(({ lane: { topic, partition }, next }) => {
          return { topic: this.ground.topics.physical(topic), partition, offset: String(next) };
        }),
      );
      for (const { lane, next } of places) lane.committed = next;
      busPoints.afterCommitOffset.publish(undefined);
    } catch {
      if (!this.closing) this.arm();
    }
  }
}
