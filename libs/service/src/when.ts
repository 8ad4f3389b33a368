/**
 * `@When(event)`: a method that hears an event of the map.
 *
 * A class is one consumer group, `<service>.<class in kebab case>`, whatever number of events its methods hear: one
 * when-file, one group. `{ each: 'replica' }` gives every replica a group of its own, `<group>.<replica>`; it begins with
 * the retained state of a compacted topic, and with what is new on any other.
 */
import type { AnyEvent, PayloadOf } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';

export interface WhenOptions {
  /** Every replica hears every event, instead of sharing them. */
  readonly each?: 'replica';
}

/** What hears: kept with the handler, read by the transport. */
export interface WhenMetadata {
  readonly definition: AnyEvent;
  readonly options: WhenOptions;
  readonly className: string;
  readonly method: string;
}

/** Nest's name for our transport. */
export const whenTransport = Symbol('driftloop.when');

type Handler<D extends AnyEvent> = (payload: PayloadOf<D>, cause: Cause) => Promise<unknown> | unknown;

/**
 * Hears an event: `method(payload, cause)`. It is called at least once, so it must be idempotent. A retriable LoopError
 * pauses its partition until it is called again; anything else dead-letters the event.
 */
export function When<D extends AnyEvent>(definition: D, options: WhenOptions = {}) {
  return <H extends Handler<D>>(target: object, method: string, descriptor: TypedPropertyDescriptor<H>): void => {
    const when: WhenMetadata = { definition, options, className: target.constructor.name, method };
    // Nest hands a handler its first argument alone, unless each is declared.
    Payload()(target, method, 0);
    Ctx()(target, method, 1);
    EventPattern<string>(definition.topic, whenTransport, { when })(target, method, descriptor);
  };
}

/** `WhenModelTrained` → `when-model-trained`. */
export function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
