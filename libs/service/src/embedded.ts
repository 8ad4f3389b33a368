/**
 * The embedded ground: one SQLite file, one bus and one folder of objects in DRIFTLOOP_HOME, shared by all services of a
 * process, under a lock.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus, type Incident } from '@driftloop/bus';
import { MongooseOutbox, openEmbedded } from '@driftloop/documents';
import { FolderObjects } from '@driftloop/objects';
import { Addresses } from './addresses.js';
import { processClock } from './clock.js';
import { errors } from './errors.js';
import type { Ground } from './ground.js';
import { openHome } from './home.js';
import { openLog, secretsOf } from './log.js';
import { once } from './once.js';
import { readSettings, type Settings } from './settings.js';

/** What the services of one process share. */
export interface EmbeddedStore {
  readonly home: string;
  readonly settings: Settings;
  readonly db: DatabaseSync;
  readonly bus: EmbeddedBus;
  readonly objects: FolderObjects;
  readonly addresses: Addresses;
  /** What a scan of many documents without an index does. */
  readonly onScan: 'throw' | 'warn';
  /** Closes the bus and the file and releases the lock; after the services. Again is no error. */
  close(): Promise<void>;
}

/** Opens a home folder, in the format of this release. Throws what openHome does. */
export async function openEmbeddedStore(
  home: string,
  settings: Settings = readSettings(),
  onScan: EmbeddedStore['onScan'] = 'warn',
): Promise<EmbeddedStore> {
  const { folder, db, migrated, exposed, close: closeHome } = await openHome(home);
  try {
    const objects = await FolderObjects.open(join(folder, 'objects'));
    const log = openLog('bus', settings.logLevel);
    if (migrated.done.length) log.info({ home: folder, ...migrated }, 'the home is in the format of this release');
    if (exposed.closed.length) log.warn(exposed, 'the home was open to other users, and is closed to them now');
    if (exposed.open.length) log.warn(exposed, 'the home is open to other users, and not ours to close');
    const bus = openBus(
      folder,
      db,
      () => processClock(settings.clock.maxGapMs).now(),
      (incident) => log.info({ ...incident }, incident.kind),
    );
    const shared = { home: folder, settings: { ...settings, home: folder }, db, bus, objects, onScan };
    const close = once(async () => {
      await bus.close();
      closeHome();
    });
    return { ...shared, addresses: new Addresses(settings), close };
  } catch (error) {
    closeHome();
    throw error;
  }
}

/** A service's ground in a home folder: on a store that is shared, or on one of its own, which its `close` closes. */
export async function openEmbeddedGround(home: string, service: string, shared?: EmbeddedStore): Promise<Ground> {
  const store = shared ?? (await openEmbeddedStore(home));
  const { bus, objects, addresses, settings } = store;
  const connection = await openEmbedded(store.db, service, { onScan: store.onScan });
  const log = openLog(service, settings.logLevel, { replica: settings.replica, secrets: secretsOf(settings) });
  const report = (error: unknown, waiting: number) => log.warn({ err: error, waiting }, 'the outbox waits');
  // Replicas on one store, as specs have them, keep their relays apart by leases.
  const exclusive = settings.mode === 'embedded';
  const owner = exclusive ? settings.replica : `${settings.replica}/${randomUUID()}`;
  const outbox = new MongooseOutbox(connection, bus, service, { exclusive, owner, report });
  const close = once(async () => {
    await outbox.close();
    await connection.close();
    if (!shared) await store.close();
  });
  return { bus, connection, outbox, objects, addresses, settings, close };
}

/** SQLITE_CORRUPT, SQLITE_NOTADB: pages that are looked at only when something is read. */
const corrupt = new Set([11, 26]);

/** What a log forgets by the clock would be gone for good: one that has jumped is not believed here either. */
function openBus(
  home: string,
  db: DatabaseSync,
  clock: () => number,
  report: (incident: Incident) => void,
): EmbeddedBus {
  try {
    return EmbeddedBus.open(db, { clock, report });
  } catch (error) {
    const { errcode, message } = error as Error & { errcode?: number };
    throw corrupt.has(errcode ?? 0) ? errors.HOME_CORRUPT({ home, reason: message }) : error;
  }
}
