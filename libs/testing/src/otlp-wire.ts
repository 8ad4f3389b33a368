/** OTLP in its JSON encoding, read into plain values: for the receiver of specs. The names are OTLP's. */

/** A span as it was received, its attributes read into plain values. */
export interface ReceivedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  /** Epoch ns. */
  readonly start: bigint;
  readonly end: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
}

/** One series of a metric at one export. */
export interface ReceivedPoint {
  readonly labels: Readonly<Record<string, unknown>>;
  /** Of a histogram its sum. */
  readonly value: number;
  /** Of a histogram: how many, and above which boundaries. */
  readonly count?: number;
  readonly bounds?: readonly number[];
}

export interface ReceivedMetric {
  readonly service: string;
  readonly replica: string;
  readonly scope: string;
  readonly name: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'sum' | 'histogram';
  readonly points: readonly ReceivedPoint[];
}

export interface ReceivedLog {
  readonly service: string;
  readonly replica: string;
  readonly severity: string;
  readonly body: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface KeyValue {
  key: string;
  value: { stringValue?: string; intValue?: number | string; doubleValue?: number; boolValue?: boolean };
}
interface Resource {
  attributes: KeyValue[];
}
interface WireSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: KeyValue[];
  links?: { traceId: string; spanId: string }[];
  status?: { code?: number };
}
interface WirePoint {
  attributes?: KeyValue[];
  asDouble?: number;
  asInt?: number | string;
  sum?: number;
  count?: number | string;
  explicitBounds?: number[];
}
interface WireMetric {
  name: string;
  unit?: string;
  gauge?: { dataPoints: WirePoint[] };
  sum?: { dataPoints: WirePoint[] };
  histogram?: { dataPoints: WirePoint[] };
}
interface WireLog {
  severityText?: string;
  body?: KeyValue['value'];
  traceId?: string;
  spanId?: string;
  attributes?: KeyValue[];
}

const plain = (attributes: readonly KeyValue[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const whoseOf = ({ attributes }: Resource) => {
  const facts = plain(attributes);
  return { service: String(facts['service.name']), replica: String(facts['service.instance.id'] ?? '') };
};

/** Spans of an ExportTraceServiceRequest. */
export function spansIn(body: { resourceSpans: { resource: Resource; scopeSpans: { spans: WireSpan[] }[] }[] }) {
  return body.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map((span) => spanOf(whoseOf(resource).service, span))),
  );
}

function spanOf(service: string, span: WireSpan): ReceivedSpan {
  const { traceId, spanId, parentSpanId = '', name, kind, attributes, links = [], status } = span;
  for (const [id, digits] of [
    [traceId, 32],
    [spanId, 16],
  ] as const)
    if (!new RegExp(`^[0-9a-f]{${digits}}$`).test(id)) throw new Error(`${id} is no id of ${digits} hex digits`);
  const [start, end] = [BigInt(span.startTimeUnixNano), BigInt(span.endTimeUnixNano)];
  const facts = { attributes: plain(attributes), links, failed: status?.code === 2 };
  return { service, traceId, spanId, parentSpanId, name, kind, start, end, ...facts };
}

interface MetricsBody {
  resourceMetrics: {
    resource: Resource;
    scopeMetrics: { scope: { name: string }; metrics: WireMetric[] }[];
  }[];
}

/** Metrics of an ExportMetricsServiceRequest. */
export function metricsIn(body: MetricsBody): ReceivedMetric[] {
  return body.resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.map((metric) => ({ ...whoseOf(resource), scope: scope.name, ...metricOf(metric) })),
    ),
  );
}

function metricOf({ name, unit = '', gauge, sum, histogram }: WireMetric) {
  const kind = histogram ? ('histogram' as const) : sum ? ('sum' as const) : ('gauge' as const);
  const points = (histogram ?? sum ?? gauge)?.dataPoints ?? [];
  return { name, unit, kind, points: points.map(pointOf) };
}

function pointOf({ attributes, asDouble, asInt, sum, count, explicitBounds }: WirePoint): ReceivedPoint {
  const of = count === undefined ? {} : { count: Number(count), bounds: explicitBounds ?? [] };
  return { labels: plain(attributes), value: Number(asDouble ?? asInt ?? sum ?? Number.NaN), ...of };
}

/** Log records of an ExportLogsServiceRequest. */
export function logsIn(body: {
  resourceLogs: { resource: Resource; scopeLogs: { logRecords: WireLog[] }[] }[];
}): ReceivedLog[] {
  return body.resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ severityText = '', body: text = {}, traceId = '', spanId = '', attributes }) => ({
        ...{ ...whoseOf(resource), severity: severityText, body: String(Object.values(text)[0] ?? '') },
        ...{ traceId, spanId, attributes: plain(attributes) },
      })),
    ),
  );
}
