/** A service for specs: a temporary home, a free port, the real embedded ground, no environment. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Ground } from '@driftloop/service';
import {
  type EmbeddedStore,
  openEmbeddedGround,
  openEmbeddedStore,
  type RunningService,
  readSettings,
  type ServiceDefinition,
  type Settings,
  type StartOptions,
  startService,
} from '@driftloop/service';

export interface TestOptions extends StartOptions {
  /** A home that outlives the service; without it, one that its `close` removes. */
  readonly home?: string;
  /** A store that other services of the spec share. */
  readonly store?: EmbeddedStore;
  /** The environment; empty by default. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a service for a spec; `close()` it in the end. */
export async function testService(
  definition: ServiceDefinition,
  options: TestOptions = {},
): Promise<RunningService & { readonly ground: Ground }> {
  const { home, store, environment, ...rest } = options;
  const own = store ? undefined : await ownStore(home, readSettings(environment ?? {}));
  const used = store ?? own!.store;
  const settings = store && environment ? { ...readSettings(environment), home: store.home } : used.settings;
  try {
    const ground = await openEmbeddedGround(used.home, definition.name, { ...used, settings });
    const anyPort = { port: 0, httpPort: 0, ...(ground.settings.mode === 'cluster' && { healthPort: 0 }) };
    const service = await startService(definition, ground, { ...anyPort, ...rest });
    const close = async () => {
      await service.close().finally(() => own?.close());
    };
    return { ...service, close, ground };
  } catch (error) {
    await own?.close();
    throw error;
  }
}

/**
 * The environment of one of several replicas on a store that they share: as in a cluster they have leases and relays of
 * their own. The servers that cluster mode wants named are not asked for anything.
 */
export const replicaEnvironment = (replica: string, rest: Readonly<Record<string, string>> = {}) => ({
  ...{ DRIFTLOOP_MODE: 'cluster', DRIFTLOOP_REPLICA: replica, DRIFTLOOP_LOG_LEVEL: 'silent' },
  ...{ KAFKA_BROKERS: 'none:9092', MONGODB_URI: 'mongodb://none/none', S3_ENDPOINT: 'http://none' },
  ...{ S3_ACCESS_KEY: 'none', S3_SECRET_KEY: 'none' },
  ...rest,
});

async function ownStore(home: string | undefined, settings: Settings) {
  const temporary = home === undefined ? mkdtempSync(join(tmpdir(), 'driftloop-')) : undefined;
  const store = await openEmbeddedStore(home ?? temporary!, settings, 'throw');
  const close = async () => {
    await store.close();
    keepLog(store.home);
    if (temporary) rmSync(temporary, { recursive: true, force: true });
  };
  return { store, close };
}

/** Where scripts/record-events.mjs asks for it, what was told in a home of a spec stays; after the home is closed. */
export function keepLog(home: string): void {
  const folder = process.env.DRIFTLOOP_KEEP_LOGS;
  if (folder) copyFileSync(join(home, 'driftloop.sqlite'), join(folder, `${basename(home)}.sqlite`));
}
