/**
 * One tracer provider a service, injected and never global, so that `service.name` is right with many services in one
 * process. Without an exporter every span is a no-op and `enabled` is false: callers then skip building attributes.
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
import { BatchSpanProcessor, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';

const scope = '@driftloop/service';

/** Injectable. */
export class Telemetry {
  readonly tracer: Tracer;
  /** Whether anybody receives the spans. */
  readonly enabled: boolean;
  readonly #provider?: TracerProvider;

  constructor(service: string, processor?: SpanProcessor) {
    this.enabled = processor !== undefined;
    if (processor) {
      const resource = resourceFromAttributes({ [ATTR_SERVICE_NAME]: service, 'service.namespace': 'driftloop' });
      this.#provider = new TracerProvider({ resource, spanProcessors: [processor] });
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
    return this.tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes, links }, ROOT_CONTEXT);
  }

  /** A span of a served call, the child of its caller's. */
  served(name: string, attributes: Attributes, parent: string | undefined): Span {
    const context = spanContextOf(parent);
    const within = context ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
    return this.tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, within);
  }

  /** Sends what is left. */
  async close(): Promise<void> {
    await this.#provider?.shutdown().catch(() => {});
  }
}

/** Ends a span, as failed where there is an error. */
export function endSpan(span: Span, error?: unknown): void {
  if (error !== undefined && error !== null) {
    const { message, details } = error as { message?: string; details?: string };
    const said = message ?? details ?? String(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: said });
    if (error instanceof Error) span.recordException(error);
  }
  span.end();
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
