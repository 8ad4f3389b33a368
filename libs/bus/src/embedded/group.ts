/**
 * A consumer group: its members share the lanes of the topics that they hear.
 *
 * I1  A lane has one reader for the whole group; which member takes an event is settled event by event (lane number
 *     modulo the members of the topic), so that joining and leaving need no rebalance.
 */
import type { HeardEvent, SubscriptionOptions } from '../bus.js';
import { errors } from '../errors.js';
import type { Lane, LoggedEvent } from './log.js';
import type { Place } from './offsets.js';
import { type Ground, Reader } from './reader.js';

/** One subscription. */
export interface Member {
  readonly topics: readonly string[];
  readonly handle: (event: HeardEvent) => Promise<void>;
}

export class Group {
  readonly readers = new Map<Lane, Reader>();
  readonly #members: Member[] = [];
  readonly #taking = new Map<Lane, Member>();

  constructor(
    readonly name: string,
    readonly ground: Ground,
  ) {}

  get alive(): boolean {
    return this.#members.length > 0;
  }

  join(member: Member, from: SubscriptionOptions['from']): void {
    const lanes = member.topics.flatMap((topic) => this.ground.log.topic(topic).lanes);
    const fresh = lanes.filter((lane) => !this.readers.has(lane));
    const places = fresh.map((lane) => this.ground.offsets.open(this.name, lane, () => this.#start(lane, from)));
    this.#members.push(member);
    for (const lane of lanes) this.readers.get(lane)?.resume();
    for (const place of places) this.readers.set(place.lane, this.#reader(place));
  }

  #reader(place: Place): Reader {
    return new Reader(place, (lane, event, attempt) => this.#hear(lane, event, attempt), this.ground);
  }

  /** Resolves when the member's handlers have ended; lanes that nobody hears any more stand still. */
  async leave(member: Member): Promise<void> {
    const index = this.#members.indexOf(member);
    if (index >= 0) this.#members.splice(index, 1);
    const waits = [...this.readers].map(([lane, reader]) => {
      if (this.#membersOf(lane).length === 0) return reader.stop();
      return this.#taking.get(lane) === member ? reader.atRest() : undefined;
    });
    await Promise.all(waits);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.readers.values()].map((reader) => reader.stop()));
  }

  #start(lane: Lane, from: SubscriptionOptions['from']): number {
    return from === 'latest' ? lane.next : this.ground.log.first(lane);
  }

  #membersOf(lane: Lane): Member[] {
    return this.#members.filter((member) => member.topics.includes(lane.topic));
  }

  async #hear(lane: Lane, event: LoggedEvent, attempt: number): Promise<{ thrown: unknown } | undefined> {
    const members = this.#membersOf(lane);
    const member = members[lane.partition % members.length];
    if (!member) return { thrown: errors.BUS_UNAVAILABLE({ reason: `group ${this.name} has no member` }) };
    this.#taking.set(lane, member);
    try {
      await member.handle(event.heard(attempt));
      return undefined;
    } catch (thrown) {
      return { thrown };
    }
  }
}
