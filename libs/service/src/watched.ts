/** A service's telemetry as its settings want it, and its ground as it is seen through that. */
import type { Bus } from '@driftloop/bus';
import type { Addresses } from './addresses.js';
import type { Ground } from './ground.js';
import { type Lines, type LogOptions, secretsOf } from './log.js';
import type { Settings } from './settings.js';
import type { MessagingSystem } from './telemetry/conventions.js';
import { Telemetry } from './telemetry/telemetry.js';
import { TracedBus } from './telemetry/traced-bus.js';
import { tracedCalls } from './telemetry/traced-calls.js';

/** Where a service's spans, metrics and log records go. */
export const telemetryOf = (
  service: string,
  { otlpEndpoint: endpoint, metricsIntervalMs, replica }: Settings,
): Telemetry => Telemetry.open(service, { endpoint, metricsIntervalMs, replica });

/** How a service's log is written. */
export const logOptions = (settings: Settings, lines: Lines | undefined, telemetry: Telemetry): LogOptions => ({
  ...{ replica: settings.replica, secrets: secretsOf(settings), telemetry },
  ...(lines && { lines }),
});

/** What a service is given of its ground in place of the ground's own. */
export interface WatchedGround {
  readonly bus: Bus;
  readonly addresses: Addresses;
  readonly system: MessagingSystem;
}

/** The bus and the addresses as the service has them: where somebody looks on, what is sent and asked is traced. */
export function watchedGround({ bus, addresses, outbox, settings }: Ground, telemetry: Telemetry): WatchedGround {
  const system: MessagingSystem = settings.mode === 'cluster' ? 'kafka' : 'driftloop';
  if (!telemetry.enabled && !telemetry.metrics.enabled) return { bus, addresses, system };
  const traced = new TracedBus(bus, telemetry, system);
  outbox.sendThrough(traced);
  return { bus: traced, addresses: addresses.watched(tracedCalls(telemetry)), system };
}
