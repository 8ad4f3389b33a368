/** For specs: a receiver of OTLP over HTTP, as a collector is one, which keeps every span, metric and log record sent to it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { logsIn, metricsIn, type ReceivedLog, type ReceivedMetric, type ReceivedSpan, spansIn } from './otlp-wire.js';

export interface Receiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  readonly spans: ReceivedSpan[];
  /** As they came: a metric is there once an export. */
  readonly metrics: ReceivedMetric[];
  readonly logs: ReceivedLog[];
  /** What could not be read, or came to another door. */
  readonly refused: string[];
  close(): Promise<void>;
}

/** Listens on a free port of this machine. */
export async function openReceiver(): Promise<Receiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const logs: ReceivedLog[] = [];
  const refused: string[] = [];
  const doors: Record<string, (body: never) => void> = {
    '/v1/traces': (body) => spans.push(...spansIn(body)),
    '/v1/metrics': (body) => metrics.push(...metricsIn(body)),
    '/v1/logs': (body) => logs.push(...logsIn(body)),
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body =
      request.headers['content-encoding'] === 'gzip' ? gunzipSync(Buffer.concat(chunks)) : Buffer.concat(chunks);
    const take = request.headers['content-type'] === 'application/json' ? doors[request.url ?? ''] : undefined;
    try {
      if (!take) throw new Error(`${request.method} ${request.url} of ${request.headers['content-type']}`);
      take(JSON.parse(body.toString('utf8')) as never);
    } catch (error) {
      refused.push((error as Error).message);
    }
    response.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { endpoint, spans, metrics, logs, refused, close };
}
