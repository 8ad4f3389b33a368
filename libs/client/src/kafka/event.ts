/** An event as a product team's handler gets it, typed by the event map; and what becomes of one that cannot be handled. */
import { attributesOf, type Events, events, type PayloadOf, readCloudEvent } from '@driftloop/contracts';
import type { KafkaMessage } from 'kafkajs';
import type { Place } from './places.js';

/** One event: a CloudEvent's attributes, its payload, and where it stands. */
export interface ConsumedEvent<T = unknown> {
  /** The same when the same fact is told again. */
  readonly id: string;
  /** The topic without a namespace. */
  readonly topic: string;
  readonly source: string;
  /** Event time. */
  readonly time: Date;
  readonly key: string;
  readonly data: T;
  readonly traceparent?: string;
  readonly place: Place;
  /** 1 at the first try, counted within this process. */
  readonly attempt: number;
}

type Handler<T> = (event: ConsumedEvent<T>) => Promise<void> | void;

/** What to do with each event, by its name in the event map: `{ modelPromoted: async ({ data }) => … }`. */
export type Handlers = { readonly [K in keyof Events]?: Handler<PayloadOf<Events[K]>> };

/** A record that cannot be read, or an event whose handler gave up. */
export interface Poison {
  readonly place: Place;
  /** Empty where the record has none. */
  readonly id: string;
  readonly key: string;
  readonly error: Error;
  /** 0 where it could not be read. */
  readonly attempts: number;
  /** The record's value and headers as they are, to keep. */
  readonly message: KafkaMessage;
}

/** Which handler hears a topic. */
export interface Route {
  readonly topic: string;
  readonly read: (message: KafkaMessage, place: Place) => Omit<ConsumedEvent, 'attempt'>;
  readonly handle: Handler<unknown>;
}

/** Throws TypeError where a handler is of no event in the map. */
export function routesOf(handlers: Handlers): Route[] {
  return Object.entries(handlers).map(([name, handle]) => {
    const event = events[name as keyof Events];
    if (!event) throw new TypeError(`no event is called "${name}"; there are ${Object.keys(events).join(', ')}`);
    const { topic, payload } = event;
    const read = (message: KafkaMessage, place: Place) =>
      eventOf(topic, message, place, (data) => payload.fromJSON(data));
    return { topic, read, handle: handle as Handler<unknown> };
  });
}

function eventOf(topic: string, message: KafkaMessage, place: Place, decode: (data: unknown) => unknown) {
  const { data, time, ...attributes } = readCloudEvent(topic, message);
  if (data === null || typeof data !== 'object' || Array.isArray(data))
    throw new TypeError(`the payload of ${topic} must be a JSON object`);
  return { ...attributes, time: new Date(time), data: decode(data), place };
}

export function poisonOf(message: KafkaMessage, place: Place, error: unknown, attempts: number): Poison {
  const { id, key } = attributesOf(place.topic, message);
  return { place, id, key, error: error as Error, attempts, message };
}
