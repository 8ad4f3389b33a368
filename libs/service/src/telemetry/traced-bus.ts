/**
 * The bus as a service publishes to it: each publication has spans, and its events carry them.
 *
 * I1  Events of one topic that tell of the same work go in one span, `send <topic>`, below that work; each carries the
 *     span's context, so that whoever hears it links to the span.
 * I2  Everything else is the bus's own.
 */
import { Bus, type OutgoingEvent, type SubscriptionOptions, type TopicOptions } from '@driftloop/bus';
import type { Attributes, Span } from '@opentelemetry/api';
import { errorTypeOf, type MessagingSystem, names } from './conventions.js';
import { traceparentOf } from './span-context.js';
import type { Telemetry } from './telemetry.js';

/** Events of one topic and one cause, on their way. */
interface Sending {
  readonly topic: string;
  readonly events: OutgoingEvent[];
  readonly span: Span;
  readonly about: Attributes;
}

export class TracedBus extends Bus {
  constructor(
    private readonly bus: Bus,
    private readonly telemetry: Telemetry,
    private readonly system: MessagingSystem,
  ) {
    super();
  }

  override async publish(events: readonly OutgoingEvent[]): Promise<void> {
    if (events.length === 0) return this.bus.publish(events);
    const sendings = this.begin(events);
    const started = performance.now();
    try {
      await this.bus.publish(sendings.length === 1 ? marked(sendings[0]) : inOrder(events, sendings));
      this.end(sendings, started);
    } catch (error) {
      this.end(sendings, started, error);
      throw error;
    }
  }

  declare(topic: string, options: TopicOptions) {
    return this.bus.declare(topic, options);
  }
  subscribe(options: SubscriptionOptions) {
    return this.bus.subscribe(options);
  }
  read(topic: string, partition: number, fromOffset: number, limit: number) {
    return this.bus.read(topic, partition, fromOffset, limit);
  }
  ends(topic: string) {
    return this.bus.ends(topic);
  }
  dead(group: string, limit?: number) {
    return this.bus.dead(group, limit);
  }
  countDead(group: string, limit?: number) {
    return this.bus.countDead(group, limit);
  }
  replayDead(group: string, ids?: readonly string[]) {
    return this.bus.replayDead(group, ids);
  }
  discardDead(group: string, ids?: readonly string[]) {
    return this.bus.discardDead(group, ids);
  }
  lag() {
    return this.bus.lag();
  }
  hold(reason: string) {
    return this.bus.hold(reason);
  }
  settled(attended?: readonly string[]) {
    return this.bus.settled(attended);
  }
  close() {
    return this.bus.close();
  }

  /** I1 */
  private begin(events: readonly OutgoingEvent[]): Sending[] {
    const groups = Map.groupBy(events, ({ topic, traceparent = '' }) => `${topic} ${traceparent}`);
    return [...groups.values()].map((group) => {
      const [{ topic, id, traceparent }] = group;
      const about = {
        [names.messagingSystem]: this.system,
        [names.operationName]: 'send',
        [names.destination]: topic,
      };
      const own = group.length > 1 ? { [names.batchCount]: group.length } : { [names.messageId]: id };
      const kind = { [names.operationType]: 'send', [names.messagingSystemBefore]: this.system };
      const span = this.telemetry.sent(`send ${topic}`, { ...about, ...kind, ...own }, traceparent);
      return { topic, events: group, span, about };
    });
  }

  private end(sendings: readonly Sending[], started: number, error?: unknown): void {
    const { metrics } = this.telemetry;
    const seconds = (performance.now() - started) / 1000;
    const failed = error === undefined ? {} : { [names.errorType]: errorTypeOf(error) };
    for (const { events, span, about } of sendings) {
      this.telemetry.end(span, error);
      if (!metrics.enabled) continue;
      metrics.counter('messaging.client.sent.messages').add(events.length, { ...about, ...failed });
      metrics.histogram('messaging.client.operation.duration').record(seconds, { ...about, ...failed });
    }
  }
}

/** Events with the span that they go in. */
function marked({ events, span }: Sending): OutgoingEvent[] {
  const traceparent = traceparentOf(span);
  return events.map((event) => ({ ...event, traceparent }));
}

/** All of them as they came: the bus keeps their order. */
function inOrder(events: readonly OutgoingEvent[], sendings: readonly Sending[]): OutgoingEvent[] {
  const spans = new Map(
    sendings.flatMap((sending) => sending.events.map((event) => [event, traceparentOf(sending.span)])),
  );
  return events.map((event) => ({ ...event, traceparent: spans.get(event) }));
}
