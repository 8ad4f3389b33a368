/**
 * A bus that hands on as badly as its contract allows: late, again, and again from further back.
 *
 * I1  In order per partition, at least once: an event is heard again at once, or after its successor of another key, or
 *     with all that came since, as after a restart that had not committed (a rewind).
 * I2  Everything happens while the event's own handler counts as running: "settled" waits for it.
 * I3  What is drawn depends on the seed, the group and the event, not on when it comes.
 */
import { Random } from '@driftloop/algorithms';
import {
  Bus,
  type DeadLetter,
  type GroupLag,
  type HeardEvent,
  type OutgoingEvent,
  type Subscription,
  type SubscriptionOptions,
  type TopicOptions,
} from '@driftloop/bus';

export interface BusDisturbance {
  readonly seed: number;
  /** Share of the events that are heard again, in one of the three ways. */
  readonly repeats?: number;
  /** Longest wait before an event, ms; each group draws its own share of it. */
  readonly delayMs?: number;
}

/** How far a rewind goes back, in events. */
const longestRewind = 8;

export class DisturbedBus extends Bus {
  constructor(
    private readonly inner: Bus,
    private readonly disturbance: BusDisturbance,
  ) {
    super();
  }

  subscribe(options: SubscriptionOptions): Promise<Subscription> {
    const group = new DisturbedGroup(options, this.disturbance);
    return this.inner.subscribe({ ...options, handle: (event) => group.hear(event) });
  }

  declare(topic: string, options: TopicOptions): Promise<void> {
    return this.inner.declare(topic, options);
  }
  publish(events: readonly OutgoingEvent[]): Promise<void> {
    return this.inner.publish(events);
  }
  read(topic: string, partition: number, fromOffset: number, limit: number): Promise<HeardEvent[]> {
    return this.inner.read(topic, partition, fromOffset, limit);
  }
  ends(topic: string): Promise<number[]> {
    return this.inner.ends(topic);
  }
  dead(group: string, limit?: number): Promise<DeadLetter[]> {
    return this.inner.dead(group, limit);
  }
  countDead(group: string, limit?: number): Promise<number> {
    return this.inner.countDead(group, limit);
  }
  replayDead(group: string, ids?: readonly string[]): Promise<string[]> {
    return this.inner.replayDead(group, ids);
  }
  discardDead(group: string, ids?: readonly string[]): Promise<string[]> {
    return this.inner.discardDead(group, ids);
  }
  lag(): Promise<GroupLag[]> {
    return this.inner.lag();
  }
  hold(reason: string): { release(): void } {
    return this.inner.hold(reason);
  }
  settled(attended?: readonly string[]): Promise<void> {
    return this.inner.settled(attended);
  }
  close(): Promise<void> {
    return this.inner.close();
  }
}

class DisturbedGroup {
  private readonly heard = new Map<string, HeardEvent[]>();
  private readonly slowness: number;

  constructor(
    private readonly options: SubscriptionOptions,
    private readonly disturbance: BusDisturbance,
  ) {
    this.slowness = new Random(`${disturbance.seed}/${options.group}`).uniform() ** 2;
  }

  async hear(event: HeardEvent): Promise<void> {
    const { seed, delayMs = 0, repeats = 0 } = this.disturbance;
    const random = new Random(`${seed}/${this.options.group}/${event.topic}/${event.partition}/${event.offset}`);
    const wait = delayMs * this.slowness * random.uniform();
    if (wait >= 1) await new Promise((resolve) => setTimeout(resolve, wait));
    await this.options.handle(event);
    const before = this.remember(event);
    if (random.uniform() >= repeats) return;
    for (const again of repeated(before, event, random)) await this.options.handle(again);
  }

  /** The events before this one in its partition. */
  private remember(event: HeardEvent): readonly HeardEvent[] {
    const lane = `${event.topic}/${event.partition}`;
    const before = this.heard.get(lane) ?? [];
    this.heard.set(lane, [...before, event].slice(-longestRewind));
    return before;
  }
}

/** I1 */
function repeated(before: readonly HeardEvent[], event: HeardEvent, random: Random): readonly HeardEvent[] {
  const last = before.at(-1);
  const way = random.integer(3);
  if (way === 0 || !last) return [event];
  if (way === 1 && last.key !== event.key) return [last];
  return [...before.slice(random.integer(before.length)), event];
}
