/** What `driftloop migrate` does, in either mode: all steps that are left of what is stored where the settings say. */
import { resolve } from 'node:path';
import { services } from '@driftloop/contracts';
import { openMongod } from '@driftloop/documents';
import { WallClock } from './clock.js';
import { bringToFormat, checkDocuments } from './format/documents-format.js';
import { documentsSteps, type Migrated } from './format/steps.js';
import { migrateHome } from './home.js';
import { openLog, secretsOf } from './log.js';
import { databaseOf, type Settings } from './settings.js';

/** A home, or a database. */
export interface MigratedPlace extends Migrated {
  readonly what: string;
}

/** Throws what `migrateHome` and `bringToFormat` do; what was migrated before it stays. */
export async function migrateAll(settings: Settings): Promise<MigratedPlace[]> {
  if (!settings.cluster) return [{ what: resolve(settings.home), ...(await migrateHome(settings.home)) }];
  const places: MigratedPlace[] = [];
  for (const service of [...services, 'gateway']) places.push(await migrateDatabase(settings, service));
  return places;
}

/** One service's database; one that there is not yet is left to its first start. */
export async function migrateDatabase(
  settings: Settings,
  service: string,
  steps = documentsSteps,
): Promise<MigratedPlace> {
  const { cluster, replica, leaseMs, logLevel } = settings;
  const what = databaseOf(cluster!, service);
  const connection = await openMongod(cluster!.mongodb.reveal(), what);
  try {
    const found = await checkDocuments(connection, steps, 'command');
    if (found === 'nothing') return { what, found, format: found, done: [] };
    const log = openLog(service, logLevel, { replica, secrets: secretsOf(settings) });
    const parts = { connection, service, replica, leaseMs, log, clock: new WallClock() };
    return { what, ...(await bringToFormat(parts, 'command', steps)) };
  } finally {
    await connection.close();
  }
}
