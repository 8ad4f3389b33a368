/**
 * What an HTTP server lets in: how long a request may take to arrive, how large its head is, how many connections there are.
 * Bodies are limited where they are read, compressed ones by what they expand to (Nest's own 100 kB).
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  /** How often is looked for requests that are late. */
  readonly checkMs: number;
}

const usual: HttpLimits = { headersMs: 10_000, requestMs: 30_000, checkMs: 5000 };
const mostConnections = 512;
const mostHeaders = 64;
/** After so long without a word the other end is asked whether it is there. */
const keepAliveMs = 30_000;

/** Before the server listens. */
export function limitHttp(server: Server, { headersMs, requestMs, checkMs }: HttpLimits = usual): void {
  server.headersTimeout = headersMs;
  server.requestTimeout = requestMs;
  server.maxHeadersCount = mostHeaders;
  server.maxConnections = mostConnections;
  // Read when it begins to listen; documented as an option of `createServer`, which Nest calls.
  Object.assign(server, { connectionsCheckingInterval: checkMs });
  server.on('connection', (socket: Socket) => socket.setKeepAlive(true, keepAliveMs));
}
