/** Log lines as OTLP log records: what was written, redacted as it was, with the span that it was written in. */
import {
  type AnyValue,
  type Attributes,
  type Logger,
  ROOT_CONTEXT,
  SeverityNumber,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

const severities: Readonly<Record<number, readonly [SeverityNumber, string]>> = {
  10: [SeverityNumber.TRACE, 'TRACE'],
  20: [SeverityNumber.DEBUG, 'DEBUG'],
  30: [SeverityNumber.INFO, 'INFO'],
  40: [SeverityNumber.WARN, 'WARN'],
  50: [SeverityNumber.ERROR, 'ERROR'],
  60: [SeverityNumber.FATAL, 'FATAL'],
};

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
  readonly trace_id?: string;
  readonly span_id?: string;
  readonly err?: { readonly type?: string; readonly message?: string; readonly stack?: string };
  readonly [fact: string]: unknown;
}

/** Sends a line of JSON, as the log writes it. */
export function sendLine(logger: Logger, json: string): void {
  // biome-ignore format: what the record says in its own fields
  const { level, time, msg, trace_id: traceId, span_id: spanId, err, pid: _pid, hostname: _host, service: _service, replica: _replica, ...facts } =
    JSON.parse(json) as Line;
  const [severityNumber, severityText] = severities[level] ?? [SeverityNumber.UNSPECIFIED, String(level)];
  const within =
    traceId && spanId
      ? trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED })
      : ROOT_CONTEXT;
  logger.emit({
    ...{ timestamp: new Date(time), severityNumber, severityText, body: msg ?? '', context: within },
    attributes: { ...attributesOf(facts), ...(err && exceptionOf(err)) },
  });
}

/** Plain values as they are, the rest as JSON. */
function attributesOf(facts: Readonly<Record<string, unknown>>): Attributes {
  const plain = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : value) as string;
  return Object.fromEntries(
    Object.entries(facts).flatMap(([name, value]) => (value === null ? [] : [[name, plain(value)]])),
  );
}

function exceptionOf({ type, message, stack }: NonNullable<Line['err']>): Record<string, AnyValue & string> {
  return {
    ...(type && { 'exception.type': type }),
    ...(message && { 'exception.message': message }),
    ...(stack && { 'exception.stacktrace': stack }),
  };
}
