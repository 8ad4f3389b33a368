/**
 * Nest's way to the bus: a custom transport that subscribes each class with `@When` methods as a consumer group.
 *
 * I1  What a handler throws reaches the bus as it is, so that retriable errors pause and others dead-letter.
 * I2  A class is one group over all topics that it hears (consumer-groups.ts).
 * I3  A replica that has lost the lead handles nothing any more: what it was given waits for the leader.
 */
import type { Bus, HeardEvent, Subscription } from '@driftloop/bus';
import { type AnyEvent, type EventDefinition, isRetriable, type Listener, type LoopError } from '@driftloop/contracts';
import type { Cause } from '@driftloop/documents';
import { type ArgumentsHost, Catch, type RpcExceptionFilter } from '@nestjs/common';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import type { Attributes, Span } from '@opentelemetry/api';
import { isObservable, lastValueFrom, type Observable, throwError } from 'rxjs';
import { type Group, groupsOf, type Heard, handlerOf } from './consumer-groups.js';
import { mainTenant } from './credentials.js';
import { errors } from './errors.js';
import type { Leadership } from './leadership.js';
import type { Log } from './log.js';
import { servicePoints } from './points.js';
import type { Readiness } from './readiness.js';
import { errorTypeOf, type MessagingSystem, names } from './telemetry/conventions.js';
import { traceparentOf } from './telemetry/span-context.js';
import type { Telemetry } from './telemetry/telemetry.js';
import { UnknownFields } from './unknown-fields.js';
import { type WhenMetadata, whenTransport } from './when.js';

/** Nest replaces errors that no filter takes: this one passes them on (I1). */
@Catch()
export class PassErrorsOn implements RpcExceptionFilter {
  catch(error: unknown, _host: ArgumentsHost): Observable<never> {
    return throwError(() => error);
  }
}

export interface WhenParts {
  readonly service: string;
  readonly replica: string;
  readonly bus: Bus;
  /** What carries the events, as spans call it. */
  readonly system: MessagingSystem;
  readonly readiness: Readiness;
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly leadership: Leadership;
}

export class WhenStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = whenTransport;
  override readonly propagatesEventHandlerErrors = true;
  readonly #heard: Heard[] = [];
  /** By group and topic. */
  readonly #known = new Map<string, Attributes>();
  #subscriptions: Subscription[] = [];
  readonly #unknown: UnknownFields;

  constructor(readonly parts: WhenParts) {
    super();
    this.#unknown = new UnknownFields(parts.log, parts.telemetry.metrics);
  }

  /** Nest registers a handler; unlike its own transports ours keeps handlers of one topic apart. */
  override addHandler(
    _topic: unknown,
    handle: MessageHandler,
    _event?: boolean,
    extras?: Record<string, unknown>,
  ): void {
    if (extras?.when) this.#heard.push({ when: extras.when as WhenMetadata, handle });
  }

  /** The topics that have a handler, sorted. */
  get topics(): string[] {
    return [...new Set(this.#heard.map((heard) => heard.when.definition.topic))].sort();
  }

  /** The groups that it subscribes, with their topics. */
  get groups(): ReadonlyMap<string, readonly string[]> {
    return new Map(this.#groups().map(({ name, topics }) => [name, [...topics.keys()]]));
  }

  listen(callback: (error?: unknown) => void): void {
    this.#subscribe().then(() => callback(), callback);
  }

  /** Throws LISTENER_NOT_DECLARED, GROUP_INVALID or WHEN_AMBIGUOUS. */
  check(): void {
    this.#groups();
    for (const { when } of this.#heard) checkListener(this.parts.service, when);
  }

  /** Running handlers end and are committed. */
  async close(): Promise<void> {
    const closing = this.#subscriptions;
    this.#subscriptions = [];
    const hold = this.parts.bus.hold(`${this.parts.service} stops hearing`);
    await Promise.all(closing.map((subscription) => subscription.close())).finally(() => hold.release());
  }

  on(): never {
    throw new Error('the bus has no transport events to listen to');
  }

  unwrap<T>(): T {
    return this.parts.bus as T;
  }

  /** The bus is held meanwhile: a service that hears by half is not settled. */
  async #subscribe(): Promise<void> {
    this.check();
    for (const { when } of this.#heard) this.#unknown.follow(when.definition);
    const hold = this.parts.bus.hold(`${this.parts.service} begins to hear`);
    try {
      await Promise.all(this.#groups().map((group) => this.#join(group)));
    } finally {
      hold.release();
    }
  }

  async #join({ name, topics, from }: Group): Promise<void> {
    const handle = (event: HeardEvent) => this.#hear(name, topics.get(event.topic)!, event);
    const options = { group: name, topics: [...topics.keys()], from, handle };
    this.#subscriptions.push(await this.parts.bus.subscribe(options));
  }

  #groups(): Group[] {
    return groupsOf(this.parts.service, this.parts.replica, this.#heard);
  }

  #hear(group: string, heard: Heard, event: HeardEvent): Promise<void> {
    const { telemetry } = this.parts;
    const isWatched = telemetry.enabled || telemetry.metrics.enabled;
    return isWatched ? this.#watch(group, heard, event) : this.#handle(group, heard, event);
  }

  async #watch(group: string, heard: Heard, event: HeardEvent): Promise<void> {
    const { telemetry } = this.parts;
    const started = performance.now();
    const span = telemetry.consumed(`process ${event.topic}`, this.#facts(group, event), event.traceparent);
    try {
      await telemetry.run(span, () => this.#handle(group, heard, event, span));
      telemetry.end(span);
      this.#count(group, event, started);
    } catch (error) {
      telemetry.end(span, error);
      this.#count(group, event, started, error);
      throw error;
    }
  }

  async #handle(group: string, { when, handle }: Heard, event: HeardEvent, span?: Span): Promise<void> {
    const { readiness } = this.parts;
    const where = `${group} ${event.topic}/${event.partition}`;
    try {
      this.parts.leadership.check();
      servicePoints.inHandler.publish(group);
      const own = this.parts.telemetry.enabled ? span && traceparentOf(span) : undefined;
      const cause = { ...causeOf(event, own), tenant: tenantOf(when.definition, event) };
      if (event.attempt === 1) this.#unknown.look(when.definition, event);
      await outcomeOf(handle(payloadOf(when.definition, event), cause));
      servicePoints.afterHandler.publish(group);
      readiness.resumed(where);
    } catch (error) {
      this.#failed(where, when, event, error);
      throw error;
    }
  }

  #failed(where: string, when: WhenMetadata, event: HeardEvent, error: unknown): void {
    const { readiness, log } = this.parts;
    const facts = { topic: event.topic, partition: event.partition, offset: event.offset, event: event.id };
    if (!isRetriable(error)) {
      readiness.resumed(where);
      log.error({ ...facts, err: error }, `${handlerOf(when)} failed: the event is dead-lettered`);
      return;
    }
    const { code, message } = error as LoopError;
    readiness.paused(where, message);
    if (event.attempt === 1) log.warn({ ...facts, code }, `${handlerOf(when)} waits: ${message}`);
  }

  /** A letter that was given back comes on a lane of its own, −1−p: it is told as of partition p. */
  #facts(group: string, { topic, partition, offset, id, attempt }: HeardEvent): Attributes {
    const { system } = this.parts;
    return {
      ...this.#about(group, topic),
      [names.group]: group,
      [names.messagingSystemBefore]: system,
      [names.operationType]: 'process',
      [names.partition]: String(partition < 0 ? -1 - partition : partition),
      [names.messageId]: id,
      [system === 'kafka' ? names.kafkaOffset : 'driftloop.bus.offset']: offset,
      ...(attempt > 1 && { 'driftloop.attempt': attempt }),
      ...(partition < 0 && { 'driftloop.given_back': true }),
    };
  }

  /** What spans and metrics of a handler have in common: of few values. */
  #about(group: string, topic: string): Attributes {
    const key = `${group} ${topic}`;
    const known = this.#known.get(key);
    if (known) return known;
    const { service, replica, system } = this.parts;
    const own = group.startsWith(`${service}.`) && group.endsWith(`.${replica}`);
    const about = {
      [names.messagingSystem]: system,
      [names.operationName]: 'process',
      [names.destination]: topic,
      [names.group]: own ? group.slice(0, -1 - replica.length) : group,
    };
    this.#known.set(key, about);
    return about;
  }

  #count(group: string, { topic }: HeardEvent, started: number, error?: unknown): void {
    const { metrics } = this.parts.telemetry;
    if (!metrics.enabled) return;
    const about = this.#about(group, topic);
    const labels = error === undefined ? about : { ...about, [names.errorType]: errorTypeOf(error) };
    metrics.histogram('messaging.process.duration').record((performance.now() - started) / 1000, labels);
    metrics.counter('messaging.client.consumed.messages').add(1, labels);
  }
}

/** The gateway shows people what happens: it may hear everything. */
function checkListener(service: string, when: WhenMetadata): void {
  if (service === 'gateway' || when.definition.to.includes(service as Listener)) return;
  throw errors.LISTENER_NOT_DECLARED({ service, topic: when.definition.topic, handler: handlerOf(when) });
}

async function outcomeOf(result: ReturnType<MessageHandler>): Promise<void> {
  const settled = await result;
  if (isObservable(settled)) await lastValueFrom(settled, { defaultValue: undefined });
}

function payloadOf(definition: AnyEvent, { topic, id, data }: HeardEvent): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw errors.PAYLOAD_INVALID({ topic, id, reason: 'it is not a JSON object' });
  }
  try {
    return (definition as EventDefinition).payload.fromJSON(data);
  } catch (error) {
    throw errors.PAYLOAD_INVALID({ topic, id, reason: (error as Error).message });
  }
}

/** Services say whose a fact is. Outsiders do not: a topic knows no credential, so what they write is the main tenant's. */
function tenantOf({ from }: AnyEvent, { data }: HeardEvent): string {
  if (from === 'external') return mainTenant;
  const { tenant } = data as { tenant?: unknown };
  return typeof tenant === 'string' && tenant !== '' ? tenant : mainTenant;
}

function causeOf(event: HeardEvent, traceparent = event.traceparent): Omit<Cause, 'tenant'> {
  const { id, time, topic, partition, offset } = event;
  return { id, time, position: { topic, partition, offset }, ...(traceparent && { traceparent }) };
}
