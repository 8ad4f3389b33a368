/**
 * One tracer provider a service, injected and never global, so that `service.name` is right with many services in one
 * process. Without an exporter every span is a no-op and `enabled` is false: callers then skip building attributes.
 *
 * I1  A span whose ids are given has them: `startSpan` asks the generator before it returns, and nobody else comes between.
 */
import {
  type Attributes,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';

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

/** Random ids, except where the next span's are given (I1). */
class GivenIds implements IdGenerator {
  private readonly random = new RandomIdGenerator();
  next: { readonly traceId: string; readonly spanId: string } | undefined;

  generateTraceId(): string {
    return this.next?.traceId ?? this.random.generateTraceId();
  }
  generateSpanId(): string {
    return this.next?.spanId ?? this.random.generateSpanId();
  }
}

/** Injectable. */
export class Telemetry {
  readonly tracer: Tracer;
  /** Whether anybody receives the spans. */
  readonly enabled: boolean;
  readonly #provider?: TracerProvider;
  readonly #ids = new GivenIds();
  /** Spans of work that runs, by span id: to be linked to what the work does. */
  readonly #running = new Map<string, Span>();

  constructor(service: string, processor?: SpanProcessor) {
    this.enabled = processor !== undefined;
    if (processor) {
      const resource = resourceFromAttributes({ [ATTR_SERVICE_NAME]: service, 'service.namespace': 'driftloop' });
      this.#provider = new TracerProvider({ resource, spanProcessors: [processor], idGenerator: this.#ids });
    }
    this.tracer = (this.#provider ?? new ProxyTracerProvider()).getTracer(scope);
  }

  /** Sends spans in batches to an OTLP HTTP endpoint (its base, as in OTEL_EXPORTER_OTLP_ENDPOINT), if there is one. */
  static open(service: string, endpoint?: string): Telemetry {
    if (endpoint === undefined) return new Telemetry(service);
    const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
    return new Telemetry(service, new BatchSpanProcessor({ exporter }));
  }

  /** A span of a handled event, linked to the one that produced it. */
  consumed(name: string, attributes: Attributes, producer: string | undefined): Span {
    const context = spanContextOf(producer);
    const links = context ? [{ context }] : [];
    return this.#begun(this.tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes, links }, ROOT_CONTEXT));
  }

  /** A span of a served call, the child of its caller's. */
  served(name: string, attributes: Attributes, parent: string | undefined): Span {
    return this.#begun(this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, within(parent)));
  }

  /** Ends the span of some work, as failed where there is an error. */
  end(span: Span, error?: unknown): void {
    this.#running.delete(span.spanContext().spanId);
    if (error !== undefined && error !== null) {
      const { message, details } = error as { message?: string; details?: string };
      span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? details ?? String(error) });
      if (error instanceof Error) span.recordException(error);
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
    await this.#provider?.shutdown().catch(() => {});
  }
}

/** A span as W3C trace context, to pass on. */
export function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  const parts = traceparent?.match(/^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/);
  if (!parts) return undefined;
  return { traceId: parts[1], spanId: parts[2], traceFlags: Number.parseInt(parts[3], 16), isRemote: true };
}

function within(parent: string | undefined) {
  const context = spanContextOf(parent);
  return context ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
}
