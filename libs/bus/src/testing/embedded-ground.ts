/** An embedded bus on a SQLite file of its own, opened as the service kit opens it, for specs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EmbeddedBus, type EmbeddedBusOptions } from '../embedded.js';
import type { BusGround } from './scene.js';

export interface EmbeddedGround extends BusGround {
  bus: EmbeddedBus;
  db: DatabaseSync;
  readonly path: string;
}

export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  return db;
}

/** A fresh bus in a temporary folder, which goes with it. */
export async function temporaryGround(options: EmbeddedBusOptions = {}): Promise<EmbeddedGround> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-bus-'));
  const path = join(folder, 'driftloop.db');
  const db = openDatabase(path);
  const shut = async () => {
    await ground.bus.close();
    ground.db.close();
  };
  const ground: EmbeddedGround = {
    path,
    db,
    bus: EmbeddedBus.open(db, options),
    reopen: async () => {
      await shut();
      ground.db = openDatabase(path);
      ground.bus = EmbeddedBus.open(ground.db, options);
      return ground.bus;
    },
    close: async () => {
      await shut();
      await rm(folder, { recursive: true });
    },
  };
  return ground;
}
