/**
 * `@ConsumerGroup(id)`: a class that hears; `@When(event)`: a method of it that hears an event of the map.
 *
 * A class is one consumer group, whatever number of events its methods hear: one when-file, one group. Its id is stated,
 * `<service>.<name>`: offsets and dead letters are kept under it, so it outlives what the class is called.
 * `{ each: 'replica' }` gives every replica a group of its own, `<group>.<replica>`; it begins with the retained state of a
 * compacted topic, and with what is new on any other.
 */
import type { AnyEvent, PayloadOf } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { applyDecorators, Controller, SetMetadata } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';

export interface WhenOptions {
  /** Every replica hears every event, instead of sharing them. */
  readonly each?: 'replica';
}

/** What hears: kept with the handler, read by the transport. */
export interface WhenMetadata {
  readonly definition: AnyEvent;
  readonly options: WhenOptions;
  /** The class. */
  readonly listener: Listening;
  readonly method: string;
}

/** A class, as far as it matters here. */
export type Listening = NewableFunction;

/** Nest's name for our transport. */
export const whenTransport = Symbol('driftloop.when');

const stated = Symbol('driftloop.consumer-group');

/** A controller whose `@When` methods hear as this consumer group; changed, it hears everything anew. */
export function ConsumerGroup(id: `${string}.${string}`): ClassDecorator {
  return applyDecorators(Controller(), SetMetadata(stated, id));
}

/** The group that a class states. */
export function statedGroup(listener: Listening): string | undefined {
  return Reflect.getOwnMetadata(stated, listener);
}

type Handler<D extends AnyEvent> = (payload: PayloadOf<D>, cause: Cause) => Promise<unknown> | unknown;

/**
 * Hears an event: `method(payload, cause)`. It is called at least once, so it must be idempotent. A retriable LoopError
 * pauses its partition until it is called again; anything else dead-letters the event.
 */
export function When<D extends AnyEvent>(definition: D, options: WhenOptions = {}) {
  return <H extends Handler<D>>(target: object, method: string, descriptor: TypedPropertyDescriptor<H>): void => {
    const when: WhenMetadata = { definition, options, listener: target.constructor, method };
    // Nest hands a handler its first argument alone, unless each is declared.
    Payload()(target, method, 0);
    Ctx()(target, method, 1);
    EventPattern<string>(definition.topic, whenTransport, { when })(target, method, descriptor);
  };
}
