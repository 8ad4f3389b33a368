/**
 * The bus on Kafka: the contract of bus.ts on kafkajs. What Kafka is named in a house: topics and groups by their names
 * there, with the namespace before them; dead letters in `<group>.dead`; `driftloop.stillness` for `settled`.
 *
 * I1  `publish` is idempotent and in order (kafka/publisher.ts). A batch of one partition is taken whole or not at all;
 *     of a call over several partitions a failure may leave a part, and the caller's repetition has the same ids.
 * I2  `settled` means the whole house, whatever process asks (kafka/stillness.ts); a hold counts from any process.
 */
import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import type { Subscription, SubscriptionOptions, TopicOptions } from './bus.js';
import { Bus, type DeadLetter, type GroupLag, type HeardEvent, mostLetters, type OutgoingEvent } from './bus.js';
import { checkTopic } from './checks.js';
import { errors } from './errors.js';
import { type Incident, reporter } from './incident.js';
import { DeadLetters, topicOfLetters } from './kafka/dead-letters.js';
import { type Place, placesAt } from './kafka/groups.js';
import { Membership, type MembershipGround } from './kafka/membership.js';
import { Publisher } from './kafka/publisher.js';
import { heardOf, recordOf } from './kafka/records.js';
import { type Answer, Stillness } from './kafka/stillness.js';
import { Topics } from './kafka/topics.js';
import { type KafkaServers, kafkaOf, Wire } from './kafka/wire.js';

export { removeNamespace } from './kafka/namespace.js';
export type { KafkaServers } from './kafka/wire.js';

export interface KafkaBusOptions {
  readonly servers: KafkaServers;
  /** Who this is, for the brokers' own view: `labeling.host-1`. */
  readonly name: string;
  /** Stands before the name of each topic and group, so that houses can share brokers. Default none. */
  readonly namespace?: string;
  /** Copies of each partition of topics that are made. Default: the brokers' own default. */
  readonly replicationFactor?: number;
  /** The first delay after a retriable error; it doubles from there. Default 100 ms. */
  readonly retryDelayMs?: number;
  /** Where doubling ends. Default 30 s. */
  readonly longestRetryDelayMs?: number;
  /** After so long without a sign of life a process' partitions go to others, ms. Default 10 s; brokers want 6 s or more. */
  readonly sessionMs?: number;
  /** Told of pauses, resumptions, dead letters and groups joined anew. */
  readonly report?: (incident: Incident) => void;
}

const fetchBytes = 4 * 1024 * 1024;
/** Ends are looked at again after so long, ms: tails that ask often cost the brokers one request. */
const endsAgeMs = 50;

export class KafkaBus extends Bus {
  private readonly members = new Set<Membership>();
  private readonly holds = new Map<symbol, string>();
  private readonly letters: DeadLetters;
  private readonly ground: MembershipGround;
  private stillness!: Stillness;
  private activity = 0;
  private knownEnds: { at: number; offsets: Promise<ReadonlyMap<string, readonly number[]>> } | undefined;
  private closing: Promise<void> | undefined;
  private readonly closed = Promise.withResolvers<never>();

  private constructor(
    options: KafkaBusOptions,
    newClient: () => Kafka,
    private readonly wire: Wire,
    private readonly tail: Wire,
    private readonly topics: Topics,
    private readonly publisher: Publisher,
  ) {
    super();
    this.closed.promise.catch(() => undefined);
    this.letters = new DeadLetters(wire, topics, publisher);
    const { retryDelayMs = 100, longestRetryDelayMs = 30_000, sessionMs = 10_000 } = options;
    const times = { retryDelayMs, longestRetryDelayMs, sessionMs, restMs: sessionMs * 0.6 };
    this.ground = { newClient, wire, topics, letters: this.letters, report: reporter(options.report), ...times };
  }

  /** Connects. Throws BUS_UNAVAILABLE where no broker answers. */
  static async open(options: KafkaBusOptions): Promise<KafkaBus> {
    const { namespace = '', replicationFactor = -1 } = options;
    const clients = `driftloop/${namespace}/`;
    const process = `${clients}${options.name}/${randomUUID()}`;
    const newClient = () => kafkaOf(options.servers, process);
    const kafka = newClient();
    const open = () => Wire.open(kafka);
    const [wire, tail] = await Promise.all([open(), open()]).catch(unavailable);
    const topics = new Topics(wire, { namespace, replicationFactor });
    const publisher = new Publisher(kafka);
    const bus = new KafkaBus(options, newClient, wire, tail, topics, publisher);
    const describe = () => bus.describe(process);
    const parts = { tail, wire, topics, publisher, process, clients, describe };
    bus.stillness = await Stillness.open(parts).catch(unavailable);
    return bus;
  }

  async declare(topic: string, options: TopicOptions): Promise<void> {
    checkTopic(topic, options);
    await this.asking(() => this.topics.declare(topic, options));
  }

  async publish(events: readonly OutgoingEvent[]): Promise<void> {
    this.checkOpen();
    const records = events.map((event) => recordOf(this.topics.physical(event.topic), event));
    if (records.length === 0) return;
    for (const topic of new Set(events.map((event) => event.topic)))
      await this.asking(() => this.topics.partitions(topic));
    this.activity++;
    await this.publisher.publish(records);
    this.knownEnds = undefined;
  }

  /** Resolves when the member has its place in the group: what is published afterwards is not missed. */
  async subscribe(options: SubscriptionOptions): Promise<Subscription> {
    const handle = async (event: HeardEvent) => {
      this.activity++;
      await options.handle(event);
    };
    const left = (member: Membership) => this.members.delete(member);
    const joining = Membership.join({ ...options, handle }, this.ground, left);
    const member = await this.asking(() => joining);
    this.members.add(member);
    return member;
  }

  async read(topic: string, partition: number, fromOffset: number, limit: number): Promise<HeardEvent[]> {
    return this.asking(async () => {
      if (partition >= (await this.topics.partitions(topic)) || partition < 0)
        throw errors.BUS_TOPIC_INVALID({ topic, path: 'partition', expected: 'one that the topic has' });
      const physical = this.topics.physical(topic);
      const end = await this.endOf(physical, partition, fromOffset);
      const [start] = end > fromOffset ? (await this.wire.starts([physical])).get(physical)!.slice(partition) : [0];
      const events: HeardEvent[] = [];
      for (let at = Math.max(fromOffset, start, 0); at < end && events.length < limit; ) {
        const messages = await this.wire.fetch(physical, partition, at, fetchBytes);
        if (messages.length === 0) break;
        events.push(...heardOf(topic, partition, messages));
        at = Number(messages.at(-1)!.offset) + 1;
      }
      return events.slice(0, limit);
    });
  }

  async ends(topic: string): Promise<number[]> {
    return this.asking(async () => {
      await this.topics.partitions(topic);
      const physical = this.topics.physical(topic);
      return [...(await this.wire.ends([physical])).get(physical)!];
    });
  }

  async dead(group: string, limit = 100): Promise<DeadLetter[]> {
    return this.asking(() => this.letters.list(group, limit));
  }

  async countDead(group: string, limit = mostLetters): Promise<number> {
    return this.asking(() => this.letters.count(group, limit));
  }

  /** A failure may leave a part given back. */
  async replayDead(group: string, ids?: readonly string[]): Promise<string[]> {
    this.activity++;
    return this.asking(() => this.letters.giveBack(group, ids));
  }

  /** A failure may leave a part discarded. */
  async discardDead(group: string, ids?: readonly string[]): Promise<string[]> {
    this.activity++;
    return this.asking(() => this.letters.discard(group, ids));
  }

  /** Members of this process tell of themselves; of other groups the brokers know where they committed (kafka/groups.ts). */
  async lag(): Promise<GroupLag[]> {
    return this.asking(async () => {
      const places: (Place & { paused?: string })[] = [
        ...(await placesAt(this.wire, this.topics)),
        ...this.placesHere(),
      ];
      const byPlace = new Map(places.map((place) => [`${place.group} ${place.topic}/${place.partition}`, place]));
      const topics = [...new Set([...byPlace.values()].map(({ topic }) => topic))];
      const ends = await this.wire.ends(topics.map((topic) => this.topics.physical(topic)));
      return [...byPlace.values()].map(({ next, paused, ...place }) => {
        const end = ends.get(this.topics.physical(place.topic))?.[place.partition] ?? next;
        return { ...place, lag: Math.max(0, end - next), ...(paused && { paused }) };
      });
    });
  }

  hold(reason: string): { release(): void } {
    this.activity++;
    const hold = Symbol(reason);
    this.holds.set(hold, reason);
    return { release: () => void this.holds.delete(hold) };
  }

  async settled(attended: readonly string[] = []): Promise<void> {
    this.checkOpen();
    await Promise.race([this.stillness.settled(attended), this.closed.promise]);
  }

  /** What `settled` waits for now: holders' reasons, groups that are behind, processes that have not answered. */
  async awaited(): Promise<readonly string[]> {
    return this.stillness.awaited;
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    await Promise.all([...this.members].map((member) => member.close()));
    this.closed.reject(errors.BUS_UNAVAILABLE({ reason: 'it is closed' }));
    this.isClosed = true;
    await this.stillness.close();
    await this.publisher.close();
    await Promise.all([this.wire.close(), this.tail.close()]);
  }

  private isClosed = false;

  private async describe(process: string): Promise<Answer> {
    const members = [...this.members];
    await Promise.all(members.map((member) => member.flush()));
    return {
      process,
      holds: [...this.holds.values()],
      activity: this.activity,
      members: members.map((member) => ({
        group: member.group,
        topics: [...member.topics, topicOfLetters(member.group)],
        ready: member.ready,
        places: member.held.flatMap(({ topic, partition, committed }) =>
          committed === undefined ? [] : [{ topic, partition, next: committed }],
        ),
      })),
    };
  }

  private placesHere() {
    return [...this.members].flatMap((member) =>
      member.held
        .filter(({ replays, next }) => !replays && next !== undefined)
        .map(({ topic, partition, next, paused }) => ({ group: member.group, topic, partition, next: next!, paused })),
    );
  }

  /** The end of a partition: as it was a moment ago, where that says already that there is nothing to read. */
  private async endOf(physical: string, partition: number, fromOffset: number): Promise<number> {
    const now = performance.now();
    if (!this.knownEnds || now - this.knownEnds.at > endsAgeMs) {
      const offsets = this.wire.ends(this.topics.names.map((topic) => this.topics.physical(topic)));
      offsets.catch(() => undefined);
      this.knownEnds = { at: now, offsets };
    }
    const end = (await this.knownEnds.offsets).get(physical)?.[partition];
    return end ?? (await this.wire.ends([physical])).get(physical)?.[partition] ?? fromOffset;
  }

  private checkOpen(): void {
    if (this.isClosed) throw errors.BUS_UNAVAILABLE({ reason: 'it is closed' });
  }

  /** What kafkajs throws is a broker away; our own errors say what they mean. */
  private async asking<T>(ask: () => Promise<T>): Promise<T> {
    this.checkOpen();
    try {
      return await ask();
    } catch (error) {
      throw (error as { service?: string }).service ? error : unavailableOf(error);
    }
  }
}

function unavailableOf(error: unknown): Error {
  return errors.BUS_UNAVAILABLE({ reason: (error as Error).message });
}

function unavailable(error: unknown): never {
  throw unavailableOf(error);
}
