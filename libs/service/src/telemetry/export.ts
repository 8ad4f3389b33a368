/**
 * Who receives what a service tells of itself: an OTLP HTTP endpoint (its base, as in OTEL_EXPORTER_OTLP_ENDPOINT). Spans and
 * log records wait in bounded queues of 2048: what is too much is dropped, and counted by the SDK's own metrics
 * (`otel.sdk.processor.…`), which go the same way.
 */
import type { MeterProvider } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { BatchLogRecordProcessor, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { type IMetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace';

/** Receivers of a service's spans, metrics and log records; each may be left out. */
export interface Receivers {
  readonly metrics?: IMetricReader;
  /** Made when the metrics are there, so that they can count what they drop. */
  readonly spans?: (metrics: MeterProvider | undefined) => SpanProcessor;
  readonly logs?: (metrics: MeterProvider | undefined) => LogRecordProcessor;
}

/** Sends everything to an OTLP endpoint: metrics every `intervalMs`, the rest in batches. */
export function otlp(endpoint: string, intervalMs: number): Receivers {
  const url = (signal: string) => `${endpoint.replace(/\/$/, '')}/v1/${signal}`;
  return {
    metrics: new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: url('metrics') }),
      exportIntervalMillis: intervalMs,
      exportTimeoutMillis: Math.min(intervalMs, 10_000),
    }),
    spans: (metrics) =>
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: url('traces') }),
        ...(metrics && { selfObsMeterProvider: metrics }),
      }),
    logs: (metrics) =>
      new BatchLogRecordProcessor({
        exporter: new OTLPLogExporter({ url: url('logs') }),
        ...(metrics && { selfObsMeterProvider: metrics }),
      }),
  };
}
