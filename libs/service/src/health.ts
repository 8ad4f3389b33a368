/**
 * Health over HTTP, for orchestrators: `/livez` (the event loop answers) and `/readyz` (running, no partition paused,
 * every dependency there; the reasons in the body). Neither needs a credential.
 *
 * I1  A partition that is paused, or a dependency that is away, makes the service not ready, never not live: to restart it
 *     would mend nothing.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { limitHttp } from './admission/http-limits.js';
import type { Dependencies } from './dependencies.js';
import { errors } from './errors.js';
import type { Identity } from './identity.js';
import type { Readiness } from './readiness.js';
import { type PortName, type Settings, variableOf } from './settings.js';
import type { Tls } from './tls.js';

export interface HealthParts {
  readonly identity: Identity;
  readonly readiness: Readiness;
  readonly dependencies: Dependencies;
  readonly host: string;
  readonly port: number;
  readonly tls?: Tls;
}

/** A health door that is open. */
export interface HealthDoor {
  readonly port: number;
  close(): Promise<void>;
}

/** The name under which a service's health port is set; serving's is the one that Triton has its metrics on. */
export const healthPortName = (service: string): PortName =>
  service === 'serving' ? 'serving-metrics' : (`${service}-health` as PortName);

/** The port of a service's health door: always one in a cluster, in the embedded mode only where the environment names it. */
export function healthPortOf(service: string, { mode, ports }: Settings, usual: Readonly<Record<PortName, number>>) {
  const name = healthPortName(service);
  return ports[name] ?? (mode === 'cluster' ? usual[name] : undefined);
}

/** Opens the door. Throws PORT_TAKEN or PORT_NOT_OPENED. */
export async function openHealth(parts: HealthParts): Promise<HealthDoor> {
  const { identity, host, port, tls } = parts;
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(parts, request, response);
  const secure = tls && createSecureServer(tls.identity, listener);
  tls?.renewed((renewed) => secure?.setSecureContext(renewed));
  const server = secure ?? createServer(listener);
  limitHttp(server);
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const facts = {
      service: identity.service,
      host,
      port,
      variable: variableOf(healthPortName(identity.service), 'PORT'),
    };
    throw code === 'EADDRINUSE' ? errors.PORT_TAKEN(facts) : errors.PORT_NOT_OPENED({ ...facts, reason: message });
  }
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, close };
}

async function answer(
  parts: HealthParts,
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path] = url.split('?');
  if (path !== '/livez' && path !== '/readyz') return tell(response, 404, { doors: ['/livez', '/readyz'] });
  if (method !== 'GET' && method !== 'HEAD') return tell(response, 405, { methods: ['GET', 'HEAD'] });
  const { service, replica, version } = parts.identity;
  if (path === '/livez') return tell(response, 200, { service, replica, version, live: true });
  const away = await parts.dependencies.away();
  const reasons = [...parts.readiness.reasons, ...away];
  const { attention } = parts.readiness;
  const state = { ready: !reasons.length, reasons, ...(attention.length && { attention }) };
  tell(response, reasons.length ? 503 : 200, { service, replica, version, ...state });
}

function tell(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
