/**
 * What a service tells of itself: spans, metrics, log records. One provider of each a service, injected and never global,
 * so that `service.name` is right with many services in one process. Where nobody receives them every span is a no-op and
 * `enabled` is false: callers then skip building attributes.
 *
 * I1  A span whose ids are given has them: `startSpan` asks the generator before it returns, and nobody else comes between.
 * I2  The span that work runs in is known to what the work calls, through an asynchronous context of the service's own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  createNoopLogger,
  type Logger,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider } from '@opentelemetry/sdk-logs';
import { TracerProvider } from '@opentelemetry/sdk-trace';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_NAMESPACE,
} from '@opentelemetry/semantic-conventions';
import { errorTypeOf, names } from './conventions.js';
import { otlp, type Receivers } from './export.js';
import { GivenIds } from './given-ids.js';
import { Metrics } from './metrics.js';
import { redactedWithin } from './redaction.js';
import { below, spanContextOf, within } from './span-context.js';

const scope = '@driftloop/service';

/** A span that has happened already, with its own ids: 32 and 16 hex digits, times in epoch ms. */
export interface PastSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined for the root of its trace. */
  readonly parentSpanId?: string;
  readonly name: string;
  readonly started: number;
  readonly ended: number;
  readonly attributes: Attributes;
  /** W3C traceparents. */
  readonly links: readonly string[];
  readonly error?: string;
}

/** Where a service's telemetry goes. */
export interface TelemetryOptions {
  /** OTLP HTTP endpoint; without it nothing is made. */
  readonly endpoint?: string;
  /** How often metrics are sent, ms. */
  readonly metricsIntervalMs?: number;
  readonly replica?: string;
}

/** Of an error's message or stack in a span. */
const longestText = 8192;

/** Injectable. */
export class Telemetry {
  readonly tracer: Tracer;
  readonly metrics: Metrics;
  /** Takes the log's lines. */
  readonly logger: Logger;
  /** Whether anybody receives the spans. */
  readonly enabled: boolean;
  /** Whether anybody receives log records. */
  readonly logsEnabled: boolean;
  readonly #providers: { shutdown(): Promise<void> }[] = [];
  readonly #ids = new GivenIds();
  /** Spans of work that runs, by span id: to be linked to what the work does. */
  readonly #running = new Map<string, Span>();
  /** I2 */
  readonly #active = new AsyncLocalStorage<Span>();

  constructor(service: string, { spans, metrics, logs }: Receivers = {}, replica?: string) {
    const resource = resourceFromAttributes({
      [ATTR_SERVICE_NAME]: service,
      [ATTR_SERVICE_NAMESPACE]: 'driftloop',
      ...(replica && { [ATTR_SERVICE_INSTANCE_ID]: replica }),
    });
    this.metrics = new Metrics(resource, metrics);
    const processor = spans?.(this.metrics.provider);
    const tracers = processor && new TracerProvider({ resource, spanProcessors: [processor], idGenerator: this.#ids });
    const processors = logs && [logs(this.metrics.provider)];
    const loggers = processors && new LoggerProvider({ resource, processors });
    this.enabled = tracers !== undefined;
    this.logsEnabled = loggers !== undefined;
    this.tracer = (tracers ?? new ProxyTracerProvider()).getTracer(scope);
    this.logger = loggers?.getLogger(scope) ?? createNoopLogger();
    for (const provider of [tracers, loggers, this.metrics.provider]) if (provider) this.#providers.push(provider);
  }

  /** Sends everything to an OTLP HTTP endpoint, if there is one. */
  static open(service: string, { endpoint, metricsIntervalMs = 60_000, replica }: TelemetryOptions = {}): Telemetry {
    return new Telemetry(service, endpoint === undefined ? {} : otlp(endpoint, metricsIntervalMs), replica);
  }

  /** A span of a handled event, linked to the one that published it. */
  consumed(name: string, attributes: Attributes, producer: string | undefined): Span {
    const context = spanContextOf(producer);
    const links = context ? [{ context }] : [];
    return this.#begun(this.tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes, links }, ROOT_CONTEXT));
  }

  /** A span of events on their way to the bus, the child of the work that they tell of. */
  sent(name: string, attributes: Attributes, cause: string | undefined): Span {
    return this.tracer.startSpan(name, { kind: SpanKind.PRODUCER, attributes }, within(cause));
  }

  /** A span of a served call, the child of its caller's. */
  served(name: string, attributes: Attributes, parent: string | undefined): Span {
    return this.#begun(this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, within(parent)));
  }

  /** A span of a question to another service, the child of the work that asks. */
  asked(name: string, attributes: Attributes): Span {
    return this.tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, below(this.current));
  }

  /** Does work in a span: what it calls knows the span as `current` (I2). */
  run<T>(span: Span, work: () => T): T {
    return this.#active.run(span, work);
  }

  /** The span that runs here; undefined outside of one, and when it has ended. */
  get current(): Span | undefined {
    const span = this.enabled ? this.#active.getStore() : undefined;
    return span?.isRecording() ? span : undefined;
  }

  /** Ends the span of some work, as failed where there is an error. */
  end(span: Span, error?: unknown): void {
    this.#running.delete(span.spanContext().spanId);
    if (error !== undefined && error !== null) {
      const { message, details, name, stack } = error as Partial<Error> & { details?: string };
      const text = redactedWithin(longestText, message ?? details ?? String(error));
      span.setAttribute(names.errorType, errorTypeOf(error));
      span.setStatus({ code: SpanStatusCode.ERROR, message: text });
      if (error instanceof Error)
        span.recordException({ name, message: text, stack: stack && redactedWithin(longestText, stack) });
    }
    span.end();
  }

  /** Sends a span that has happened, and links the work that did it to it, where that still runs. */
  past({ traceId, spanId, parentSpanId, name, started, ended, attributes, links, error }: PastSpan): void {
    if (!this.enabled) return;
    const contexts = links.flatMap((link) => spanContextOf(link) ?? []);
    const parent = parentSpanId === undefined ? undefined : `00-${traceId}-${parentSpanId}-01`;
    const options = { startTime: new Date(started), attributes, links: contexts.map((context) => ({ context })) };
    this.#ids.next = { traceId, spanId };
    const span = this.tracer.startSpan(name, options, within(parent));
    this.#ids.next = undefined;
    if (error) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
    span.end(new Date(ended));
    for (const context of contexts) this.#running.get(context.spanId)?.addLink({ context: span.spanContext() });
  }

  #begun(span: Span): Span {
    if (this.enabled) this.#running.set(span.spanContext().spanId, span);
    return span;
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    await Promise.all(this.#providers.map((provider) => provider.shutdown().catch(() => {})));
  }
}
