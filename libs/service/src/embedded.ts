/**
 * The embedded ground: one SQLite file, one bus and one folder of objects in DRIFTLOOP_HOME, shared by all services of a
 * process, under a lock.
 */
import { randomUUID } from 'node:crypto';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus, type Incident } from '@driftloop/bus';
import { LoopError } from '@driftloop/contracts';
import { MongooseOutbox, openEmbedded } from '@driftloop/documents';
import { FolderObjects } from '@driftloop/objects';
import { Addresses } from './addresses.js';
import { errors } from './errors.js';
import type { Ground } from './ground.js';
import { type Lock, takeLock } from './lock.js';
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

/** Opens a home folder. Throws HOME_LOCKED, HOME_NOT_WRITABLE or HOME_CORRUPT. */
export async function openEmbeddedStore(
  home: string,
  settings: Settings = readSettings(),
  onScan: EmbeddedStore['onScan'] = 'warn',
): Promise<EmbeddedStore> {
  const folder = resolve(home);
  makeWritable(folder);
  const lock = lockOf(folder);
  try {
    const objects = await FolderObjects.open(join(folder, 'objects'));
    const db = openDatabase(folder);
    const log = openLog('bus', settings.logLevel);
    const bus = openBus(folder, db, (incident) => log.info({ ...incident }, incident.kind));
    const shared = { home: folder, settings: { ...settings, home: folder }, db, bus, objects, onScan };
    const close = once(async () => {
      await bus.close();
      db.close();
      lock.release();
    });
    return { ...shared, addresses: new Addresses(settings), close };
  } catch (error) {
    lock.release();
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

function makeWritable(home: string): void {
  try {
    mkdirSync(home, { recursive: true });
    accessSync(home, constants.W_OK);
  } catch (error) {
    throw errors.HOME_NOT_WRITABLE({ home, reason: (error as NodeJS.ErrnoException).code ?? String(error) });
  }
}

function lockOf(home: string): Lock {
  try {
    return takeLock(home);
  } catch (error) {
    if (error instanceof LoopError) throw error;
    throw errors.HOME_NOT_WRITABLE({ home, reason: (error as Error).message });
  }
}

/** SQLITE_CORRUPT, SQLITE_NOTADB: pages that are looked at only when something is read. */
const corrupt = new Set([11, 26]);

function openBus(home: string, db: DatabaseSync, report: (incident: Incident) => void): EmbeddedBus {
  try {
    return EmbeddedBus.open(db, { report });
  } catch (error) {
    db.close();
    const { errcode, message } = error as Error & { errcode?: number };
    throw corrupt.has(errcode ?? 0) ? errors.HOME_CORRUPT({ home, reason: message }) : error;
  }
}

function openDatabase(home: string): DatabaseSync {
  try {
    const db = new DatabaseSync(join(home, 'driftloop.sqlite'));
    db.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
      PRAGMA cache_size = -65536; PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY;`);
    return db;
  } catch (error) {
    throw errors.HOME_CORRUPT({ home, reason: (error as Error).message });
  }
}
