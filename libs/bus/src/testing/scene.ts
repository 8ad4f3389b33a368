/**
 * What the bus's contract is tested with: a bus under test, topics and groups of its own for every fact, and waiting
 * that is generous and has an end, so that the same suite fits a log in memory's reach and one across a network.
 */
import { LoopError } from '@driftloop/contracts';
import type {
  Bus,
  GroupLag,
  HeardEvent,
  OutgoingEvent,
  Subscription,
  SubscriptionOptions,
  TopicOptions,
} from '../bus.js';

/** A place where a bus can be opened, closed and opened again with what it kept. */
export interface BusGround {
  readonly bus: Bus;
  /** Closes the bus gracefully and opens it again on the same log. */
  reopen(): Promise<Bus>;
  close(): Promise<void>;
}

export interface BusContract {
  readonly open: () => Promise<BusGround>;
  /** Titles of facts that this implementation does not hold, each with its reason beside it in the spec. */
  readonly skip: readonly string[];
}

/** Registers one fact; its scene is closed afterwards. */
export type Fact = (title: string, run: (scene: Scene) => Promise<void>) => void;

const patienceMs = 20_000;

/** Resolves when the condition holds; fails with what was waited for. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${patienceMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Whether a promise is still open after a while. */
export async function stillOpen(promise: Promise<unknown>, ms = 150): Promise<boolean> {
  let open = true;
  const close = () => {
    open = false;
  };
  promise.then(close, close);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return open;
}

/** A dependency that is away, as a handler sees it. */
export function away(code = 'MODEL_STORE_AWAY'): LoopError {
  return new LoopError('test', code, 'the model store does not answer', 'UNAVAILABLE', true);
}

/** A gate that handlers wait at. */
export class Gate {
  #open!: () => void;
  readonly passed = new Promise<void>((resolve) => {
    this.#open = resolve;
  });
  open(): void {
    this.#open();
  }
}

/** What a subscription heard. */
export interface Listening {
  readonly events: HeardEvent[];
  readonly subscription: Subscription;
  /** Resolves when so many events were handled. */
  count(events: number): Promise<void>;
  values(): unknown[];
}

let names = 0;

export class Scene {
  bus: Bus;
  readonly #prefix = `t${process.pid}-${performance.timeOrigin.toString(36).replace('.', '')}`;

  constructor(readonly ground: BusGround) {
    this.bus = ground.bus;
  }

  async reopen(): Promise<void> {
    this.bus = await this.ground.reopen();
  }

  /** A name that nobody used before. */
  name(kind: string): string {
    return `${kind}.${this.#prefix}-${++names}`;
  }

  async topic(partitions = 1, keep: TopicOptions['keep'] = '7d'): Promise<string> {
    const topic = this.name('topic');
    await this.bus.declare(topic, { partitions, keep });
    return topic;
  }

  event(topic: string, key: string, value: unknown, id = this.name('event')): OutgoingEvent {
    return { id, topic, key, time: 1_362_000_000_000, source: 'labeling', data: { value } };
  }

  /** Publishes one event a value, all of one key. */
  async say(topic: string, key: string, ...values: unknown[]): Promise<OutgoingEvent[]> {
    const events = values.map((value) => this.event(topic, key, value));
    await this.bus.publish(events);
    return events;
  }

  /** Subscribes a group of its own, unless told which; `handle` comes before the event is counted as heard. */
  async listen(topics: string | string[], options: Partial<SubscriptionOptions> = {}): Promise<Listening> {
    const events: HeardEvent[] = [];
    const handle = async (event: HeardEvent) => {
      await options.handle?.(event);
      events.push(event);
    };
    const group = options.group ?? this.name('group');
    const subscription = await this.bus.subscribe({ ...options, group, topics: [topics].flat(), handle });
    const count = (n: number) => until(`${n} events were heard, not ${events.length}`, () => events.length >= n);
    return { events, subscription, count, values: () => events.map(valueIn) };
  }

  async lagOf(group: string): Promise<GroupLag[]> {
    return (await this.bus.lag()).filter((lag) => lag.group === group);
  }
}

export function valueIn(event: OutgoingEvent): unknown {
  return (event.data as { value: unknown }).value;
}
