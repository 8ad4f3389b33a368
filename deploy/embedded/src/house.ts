/** Every service and the gateway in one process, on one home folder. */
import type { Bus } from '@driftloop/bus';
import { featureStore } from '@driftloop/feature-store';
import { gateway } from '@driftloop/gateway';
import { labeling } from '@driftloop/labeling';
import { monitoring } from '@driftloop/monitoring';
import { registry } from '@driftloop/registry';
import {
  type EmbeddedStore,
  openEmbeddedGround,
  openEmbeddedStore,
  type RunningService,
  readSettings,
  Secret,
  startService,
  type WallClock,
} from '@driftloop/service';
import { serving } from '@driftloop/serving';
import { training } from '@driftloop/training';
import type { Doors } from './doors.js';
import { secretOf } from './secret.js';

/** Those that are asked come before those that ask. */
const definitions = [labeling, featureStore, registry, training, monitoring, serving, gateway];

export interface House extends Doors {
  readonly store: EmbeddedStore;
  readonly services: ReadonlyMap<string, RunningService>;
  close(): Promise<void>;
}

export interface HouseOptions {
  /** Any free ports instead of the usual ones. */
  anyPorts?: boolean;
  environment?: Readonly<Record<string, string | undefined>>;
  /** What a service hears in place of the home's own bus: disturbances are tried that way. */
  hear?: (bus: Bus, service: string) => Bus;
  /** In place of the wall's. */
  clock?: WallClock;
}

/** Opens a home and starts the house in it; nothing is left running where a part cannot start. */
export async function openHouse(
  home: string,
  { anyPorts, environment = process.env, hear = (bus) => bus, clock }: HouseOptions = {},
): Promise<House> {
  const settings = readSettings({ ...environment, DRIFTLOOP_HOME: home });
  const locked = await openEmbeddedStore(home, settings);
  const replayToken = settings.replayToken?.reveal() ?? secretOf(locked.home, 'replay.token');
  const store = { ...locked, settings: { ...locked.settings, replayToken: new Secret(replayToken) } };
  const services = new Map<string, RunningService>();
  const close = async () => {
    for (const service of [...services.values()].reverse()) await service.close();
    await store.close();
  };
  try {
    for (const definition of definitions) {
      const ground = await openEmbeddedGround(home, definition.name, store);
      const options = { ...(anyPorts && { port: 0, httpPort: 0 }), ...(clock && { clock }) };
      const heard = { ...ground, bus: hear(ground.bus, definition.name) };
      services.set(definition.name, await startService(definition, heard, options));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const { host, tls } = settings;
  const address = (service: string) => `${tls ? 'grpcs://' : ''}${host}:${services.get(service)!.port}`;
  const url = `${tls ? 'https' : 'http'}://${host}:${services.get('gateway')!.httpPort}`;
  return { home: store.home, store, services, replayToken, address, url, close };
}
